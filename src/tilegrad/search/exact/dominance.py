"""Rows of figures of which no other is at most as large in all: what is compared compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tilegrad.search.exact.mapper.compiled import compiled

Floats = NDArray[np.float64]


def undominated(figures: Floats) -> NDArray[np.bool_]:
    """Return which of ``figures [row, figure]`` no other row undercuts.

    Of equals the first; of those that only rounding tells apart maybe both.
    """
    # What undercuts a row has a smaller sum: it comes before.
    order = (figures / np.maximum(abs(figures).mean(0), 1e-300)).sum(1).argsort(kind="stable")
    kept = np.zeros(len(figures), dtype=bool)
    kept[order] = _front(np.ascontiguousarray(figures[order]))
    return kept


@compiled
def _front(figures: Floats) -> NDArray[np.bool_]:
    """Compare rows with those kept before.

    The one that was met last is the likeliest to be met again: it goes to the front.
    """
    rows, columns = figures.shape
    kept = np.zeros(rows, dtype=np.bool_)
    front = np.empty((rows, columns), dtype=np.float64)
    size = 0
    for row in range(rows):
        found = -1
        for place in range(size):
            column = 0
            while column < columns and front[place, column] <= figures[row, column]:
                column += 1
            if column == columns:
                found = place
                break
        if found < 0:
            front[size] = figures[row]
            size += 1
            kept[row] = True
        elif found > 0:
            half = found // 2
            for column in range(columns):
                held = front[half, column]
                front[half, column] = front[found, column]
                front[found, column] = held
    return kept
