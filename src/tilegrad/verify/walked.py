"""The walk of ``walk.fetched``, compiled: one mapping after another, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is compiled when it is first called; kept where there is a place."""
    try:
        made: Callable[..., Any] = numba.njit(cache=True)(function)
    except RuntimeError:
        made = numba.njit(function)
    return made


@compiled
def walked(bounds: Any, steps: Any, axes: Any, extents: Any, skip_still: bool) -> Any:
    """Return the words of a tile that are fetched, ``[row]``.

    ``bounds`` and ``steps [row, loop]``, the innermost first; ``axes [loop]`` (-1: the loop moves
    nothing); ``extents [row, axis]``.
    """
    total, most = np.empty(len(bounds)), bounds.shape[1]
    used, seen = np.empty(most, np.int64), np.empty(most + 1)
    shifts = np.zeros((most, extents.shape[1]))
    moved, news = np.empty(most, np.int64), np.empty(most)
    for row in range(len(bounds)):
        count = 0
        for loop in range(most):
            if bounds[row, loop] > 1:
                used[count] = loop
                count += 1
        if count == 0:
            total[row] = np.prod(extents[row])
            continue
        for place in range(count):
            _shift(place, used, steps[row], axes, shifts)
            moved[place], news[place] = _new(shifts[place], extents[row])
        loops = used[:count]
        total[row] = _fetched(
            loops, bounds[row], shifts, moved, news, extents[row], skip_still, seen
        )
    return total


@compiled
def _shift(place: int, used: Any, steps: Any, axes: Any, shifts: Any) -> None:
    """Fill in by how much a tile is shifted where a loop goes from iteration #0 to #1.

    All loops inside it go back from #1 to #0.
    """
    shifts[place] = 0.0
    for inner in range(place + 1):
        loop = used[inner]
        if axes[loop] >= 0:
            shifts[place, axes[loop]] += steps[loop] if inner == place else -steps[loop]


@compiled
def _fetched(
    loops: Any,
    bounds: Any,
    shifts: Any,
    moved: Any,
    news: Any,
    extents: Any,
    skip_still: bool,
    seen: Any,
) -> float:
    """Walk a mapping's loops of more than one iteration, the innermost first.

    Each turn is a binary number, whose last digit is the innermost loop's iteration. ``seen``: how
    often a turn stands for one, of the digits from each place on.
    """
    whole = np.prod(extents)
    total, known, remembered = whole, False, -1
    seen[:] = 1.0
    for turn in range(1, 1 << len(loops)):
        place = 0
        while not turn >> place & 1:
            place += 1
        weight = seen[place + 1] * (bounds[loops[place]] - 1)
        seen[: place + 1] = weight
        if moved[place] == 0 and skip_still:
            continue
        known = not known or _are_equal(shifts[place], shifts[remembered])
        if known:
            remembered = place
        total += weight * (news[place] if known else whole)
    return total


@compiled
def _new(shift: Any, extents: Any) -> Any:
    """Return along how many axes a tile is shifted, and the words that brings."""
    moved, reach, extent, whole = 0, 0.0, 1.0, 1.0
    for axis in range(len(extents)):
        whole *= extents[axis]
        if shift[axis] != 0:
            moved += 1
            reach, extent = min(abs(shift[axis]), extents[axis]), extents[axis]
    return moved, whole if moved > 1 else reach * (whole / extent)


@compiled
def _are_equal(one: Any, other: Any) -> bool:
    equal = True
    for axis in range(len(one)):
        equal = equal and one[axis] == other[axis]
    return equal
