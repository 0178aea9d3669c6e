"""How often a tile is fetched, by walking the loops: Timeloop's procedure as it stands.

Iterations #0 and #1 of every loop are visited, #1 standing for all later ones. From one tile to
the next, a shift along one axis fetches what is new and along several the whole tile; what is new
counts only while the shift is that of the fetch before, or none is remembered. One mapping is
walked after another, compiled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    whole = _product(extents)
    bounds = np.stack([np.ones_like(whole), *(loop.bound for loop in loops)], -1)
    steps = np.stack([np.ones_like(whole), *(loop.step + 0 * whole for loop in loops)], -1)
    if (most := int((bounds > 1).sum(-1).max(initial=0))) > MOST_LOOPS:
        raise ValueError(f"{most} loops are too many to walk")
    axes = np.array([-1, *(-1 if loop.axis is None else loop.axis for loop in loops)], np.int64)
    sizes = np.stack([extent + 0 * whole for extent in extents], -1)
    # Imports a compiler, which reading a record needs not.
    from tilegrad.verify.walked import walked

    found: Numbers = walked(bounds, steps, axes, sizes, skip_still)
    return found


def _product(parts: Sequence[Numbers]) -> Numbers:
    whole = parts[0] * 1.0
    for part in parts[1:]:
        whole = whole * part
    return whole
