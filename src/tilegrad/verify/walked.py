"""The walk of ``walk.fetched``, compiled: one mapping after another, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is compiled when it is first called; kept where there is a place."""
    try:
        made: Callable[..., Any] = numba.njit(cache=True)(function)
    except RuntimeError:
        made = numba.njit(function)
    return made


@_compiled
def walked(bounds: Any, steps: Any, axes: Any, extents: Any, skip_still: bool) -> Any:
    """Return the words of a tile that are fetched, ``[row]``.

    ``bounds`` and ``steps [row, loop]``, the innermost first; ``axes [loop]`` (-1: the loop moves
    nothing); ``extents [row, axis]``.
    """
    total = np.empty(len(bounds))
    for row in range(len(bounds)):
        loops = np.flatnonzero(bounds[row] > 1)
        total[row] = _fetched(
            bounds[row][loops], steps[row][loops], axes[loops], extents[row], skip_still
        )
    return total


@_compiled
def _fetched(bounds: Any, steps: Any, axes: Any, extents: Any, skip_still: bool) -> float:
    total, known = np.prod(extents), False
    here, last = np.zeros(len(extents)), np.zeros(len(extents))
    shift, remembered = np.zeros(len(extents)), np.zeros(len(extents))
    # Each turn is a binary number, whose last digit is the innermost loop's iteration.
    for turn in range(1, 1 << len(bounds)):
        here[:], weight = 0.0, 1.0
        for loop in range(len(bounds)):
            if turn >> loop & 1:
                weight *= bounds[loop] - 1
                if axes[loop] >= 0:
                    here[axes[loop]] += steps[loop]
        shift[:] = here - last
        last[:] = here
        moved, new, whole = _new(shift, extents)
        if moved == 0 and skip_still:
            continue
        known = not known or _are_equal(shift, remembered)
        if known:
            remembered[:] = shift
        total += weight * (new if known else whole)
    return total


@_compiled
def _new(shift: Any, extents: Any) -> Any:
    """Return along how many axes a tile is shifted, the words that brings, and those of all."""
    moved, reach, extent, whole = 0, 0.0, 1.0, 1.0
    for axis in range(len(extents)):
        whole *= extents[axis]
        if shift[axis] != 0:
            moved += 1
            reach, extent = min(abs(shift[axis]), extents[axis]), extents[axis]
    return moved, whole if moved > 1 else reach * (whole / extent), whole


@_compiled
def _are_equal(one: Any, other: Any) -> bool:
    equal = True
    for axis in range(len(one)):
        equal = equal and one[axis] == other[axis]
    return equal
