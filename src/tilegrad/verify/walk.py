"""How often a tile is fetched, by walking the loops: Timeloop's procedure as it stands.

Iterations #0 and #1 of every loop are visited, #1 standing for all later ones. From one tile to
the next, a shift along one axis fetches what is new and along several the whole tile; what is new
counts only while the shift is that of the fetch before, or none is remembered. Many mappings whose
loops have the same order are walked together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

MOST_LOOPS = 16
"""Loops that are walked, 65,536 steps."""


@dataclass(frozen=True)
class Loop:
    """A temporal loop of each mapping ``[row]`` (a bound of 1: none).

    ``axis`` along which it moves the tensor's tile by ``step [row]`` words; None: it moves nothing.
    """

    bound: Numbers
    axis: int | None
    step: Numbers


def fetched(loops: Sequence[Loop], extents: Sequence[Numbers], skip_still: bool) -> Numbers:
    """Return the words of a tile of ``extents`` by axis that are fetched, ``[row]``.

    ``loops`` from the innermost outwards. ``skip_still``: a shift of nothing is passed over
    (current Timeloop), not remembered as one.
    """
    loops = [loop for loop in loops if (loop.bound > 1).any()]
    if len(loops) > MOST_LOOPS:
        raise ValueError(f"{len(loops)} loops are too many to walk")
    whole = _product(extents)
    total, last = whole.copy(), [np.zeros_like(whole) for _ in extents]
    remembered, known = [np.zeros_like(whole) for _ in extents], np.zeros(whole.shape, dtype=bool)
    for turns in product((0, 1), repeat=len(loops)):
        if not any(turns):
            continue
        # The outermost loop turns slowest.
        now = list(zip(loops, reversed(turns), strict=True))
        visited, weight = np.ones(whole.shape, dtype=bool), np.ones_like(whole)
        here = [np.zeros_like(whole) for _ in extents]
        for loop, turn in now:
            if turn:
                visited = visited & (loop.bound > 1)
                weight = weight * (loop.bound - 1)
                if loop.axis is not None:
                    here[loop.axis] = here[loop.axis] + loop.step
        shift = [at - before for at, before in zip(here, last, strict=True)]
        moved = np.sum([each != 0 for each in shift], axis=0)
        same = np.all([s == r for s, r in zip(shift, remembered, strict=True)], axis=0)
        part = np.select([moved == 0, moved == 1], [0.0, _new(shift, extents, whole)], whole)
        going_on = ~known | same
        counted = visited & (moved > 0) if skip_still else visited
        total = total + np.where(counted, weight * np.where(going_on, part, whole), 0.0)
        known = np.where(counted, going_on, known)
        remembered = [
            np.where(counted & going_on, s, r) for s, r in zip(shift, remembered, strict=True)
        ]
        last = [np.where(visited, at, before) for at, before in zip(here, last, strict=True)]
    return total


def _new(shift: Sequence[Numbers], extents: Sequence[Numbers], whole: Numbers) -> Numbers:
    """Return the words that a shift along one axis brings."""
    found = np.zeros_like(whole)
    for moved, extent in zip(shift, extents, strict=True):
        found = np.maximum(found, np.minimum(np.abs(moved), extent) * (whole / extent))
    return found


def _product(parts: Sequence[Numbers]) -> Numbers:
    whole = parts[0] * 1.0
    for part in parts[1:]:
        whole = whole * part
    return whole
