"""Which points of a set no other one dominates, and how much they dominate together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Point = Sequence[float]


def nondominated(points: Sequence[Point]) -> list[int]:
    """Return the places of points ``[figure]`` that no other is as good as in every figure.

    Of equal points the first one. Less is better.
    """
    values = np.asarray(points, dtype=float)
    kept = []
    for place, point in enumerate(values):
        as_good = (values <= point).all(1)
        better = as_good & (values < point).any(1)
        earlier = as_good[:place] & (values[:place] == point).all(1)
        if not better.any() and not earlier.any():
            kept.append(place)
    return kept


def hypervolume(points: Sequence[Point], reference: Point) -> float:
    """Return the volume between the points and a reference that is worse than all of them.

    Points that are not better than the reference in every figure add nothing. By slices along the
    last figure (Fonseca, Paquete and Lopez-Ibanez, CEC 2006), for any number of figures.
    """
    values = np.asarray(points, dtype=float).reshape(-1, len(reference))
    ends = np.asarray(reference, dtype=float)
    values = values[(values < ends).all(1)]
    if not len(values):
        return 0.0
    if len(ends) == 1:
        return float(ends[0] - values.min())
    values = values[values[:, -1].argsort(kind="stable")]
    heights = np.diff([*values[:, -1], ends[-1]])
    slices = (
        hypervolume(values[: place + 1, :-1].tolist(), ends[:-1].tolist()) * height
        for place, height in enumerate(heights)
        if height > 0
    )
    return float(sum(slices))
