"""How many words of a sliding tile (Inputs) are fetched: Timeloop's tile-sequence state machine.

Timeloop walks iterations #0 and #1 of every loop, #1 standing for the rest, and keeps one state
per tile: the last translation, or none. A step to the next tile fetches

- the part that is new, where no translation is remembered (this one then is) or where it equals
  the remembered one;
- the whole tile otherwise, and the translation is forgotten.

A tile that moves along both its row and its column axis is fetched whole. The walk is a binary
counter, so the work inside a loop is the same for all its iterations: it factorises over loops,
innermost first. Every pass through a loop body begins and ends with a step of the innermost
moving loop, so of all states only three need distinguishing when a body is entered: ``EMPTY``
(nothing remembered), ``SAME`` (the innermost loop's translation) and ``OTHER``; it is left in
``EMPTY`` or ``SAME``. (Timeloop's nest-analysis and OperationSpace::SaveAndSubtractIfSameStride.)

The conventions differ in a step of length 0: ``timeloop-2022`` treats it as a translation like any
other, ``timeloop`` skips it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from operator import and_, or_

import torch
from torch import Tensor

from tilegrad.dims import C, N, P, Q, R, S
from tilegrad.nest.loops import Loops

BATCH, CHANNEL, ROW, COLUMN = range(4)
AXES = {BATCH: (N,), CHANNEL: (C,), ROW: (P, R), COLUMN: (Q, S)}
"""Dims that move an Inputs tile along each of its axes."""


EMPTY, SAME, OTHER = range(3)
"""States in which a loop body is entered."""


@dataclass(frozen=True)
class Steps:
    """The loops' steps to their next iterations, each ``[position, ...]``, innermost first.

    ``repeats`` (how often), ``new`` (words not in the tile before), ``active`` (the loop is there),
    ``still`` (it moves nothing and is skipped), ``equal`` (its translation is that of the innermost
    moving loop), ``outside`` (a moving loop lies further in).
    """

    repeats: Tensor
    new: Tensor
    active: Tensor
    still: Tensor
    equal: Tensor
    outside: Tensor


def sliding_fills(loops: Loops, extents: Sequence[Tensor], skip_still: bool) -> Tensor:
    """Return the words of an Inputs tile fetched over ``loops``, ``[...]``.

    ``extents`` are the tile's batch, channel, row and column extents; the loops' steps are in
    words of those axes. ``skip_still`` is the current Timeloop's rule for steps of length 0.
    """
    whole = extents[BATCH] * extents[CHANNEL] * extents[ROW] * extents[COLUMN]
    steps = _steps(loops, extents, whole, skip_still)
    return whole + _walk(steps, whole, skip_still)


def _walk(steps: Steps, whole: Tensor, skip_still: bool) -> Tensor:
    """Return the words fetched by all steps, wrapping one loop after another around the body.

    ``words[state]`` are fetched by the body when it is entered in that state; ``leaves[state]``
    says whether it is left in ``SAME`` (else ``EMPTY``).
    """
    shape = torch.broadcast_shapes(steps.new.shape[1:], whole.shape)
    words = whole.new_zeros(3, *shape)
    leaves = (torch.arange(3, device=whole.device) == SAME).view(3, *[1] * len(shape))
    leaves = leaves.expand(3, *shape)
    # Entered in OTHER, the innermost moving loop fetches whole tiles and forgets.
    forgets = torch.stack([torch.zeros_like(steps.outside)] * 2 + [~steps.outside], 1)
    positions = zip(
        *(part.unbind(0) for part in (steps.repeats, steps.new, steps.active, steps.still)),
        steps.equal.unbind(0),
        forgets.unbind(0),
        strict=True,
    )
    for repeats, new, active, still, equal, forget in positions:
        from_empty = new + torch.where(equal, words[SAME], words[OTHER])
        then_empty = torch.where(equal, leaves[SAME], leaves[OTHER])
        from_same = torch.where(equal, new + words[SAME], whole + words[EMPTY])
        then_same = torch.where(equal, leaves[SAME], leaves[EMPTY])
        if skip_still:
            from_empty = torch.where(still, words[EMPTY], from_empty)
            then_empty = torch.where(still, leaves[EMPTY], then_empty)
            from_same = torch.where(still, words[SAME], from_same)
            then_same = torch.where(still, leaves[SAME], then_same)
        again = torch.where(forget, whole, torch.where(leaves, from_same, from_empty))
        words = words + repeats * again
        after = torch.where(leaves, then_same, then_empty) & ~forget
        leaves = torch.where(active, after, leaves)
    return words[EMPTY]


def _steps(loops: Loops, extents: Sequence[Tensor], whole: Tensor, skip_still: bool) -> Steps:
    shifts = _shifts(loops)
    active = loops.bound > 1
    still = active & _all([shift == 0 for shift in shifts.values()]) if skip_still else ~active
    moving = active & ~still if skip_still else active
    before = accumulate(moving.unbind(0)[:-1], or_, initial=torch.zeros_like(moving[0]))
    outside = torch.stack(list(before))
    innermost = moving & ~outside
    first = {axis: torch.where(innermost, shift, 0.0).sum(0) for axis, shift in shifts.items()}
    equal = _all([shift == first[axis] for axis, shift in shifts.items()]).expand_as(active)
    new = _new_part(shifts, extents, whole).expand_as(active)
    return Steps(loops.bound - 1, new, active, still, equal, outside)


def _shifts(loops: Loops) -> dict[int, Tensor]:
    """Return each step's translation, by axis that moves at all in the batch.

    A step moves on by the loop's own step and back by what the loops inside have walked.
    """
    shifts = {}
    for axis, dims in AXES.items():
        here = loops.along(dims)
        if (here & (loops.bound != 1)).any():
            along = torch.where(here, loops.step, 0.0)
            walks = (along * loops.present).unbind(0)[:-1]
            walked = accumulate(walks, initial=along.new_zeros(()))
            shifts[axis] = along - torch.stack(torch.broadcast_tensors(*walked))
    return shifts


def _all(conditions: list[Tensor]) -> Tensor:
    return reduce(and_, conditions, torch.tensor(True))


def _new_part(shifts: dict[int, Tensor], extents: Sequence[Tensor], whole: Tensor) -> Tensor:
    """Return the words of a shifted tile that were not in the tile before.

    Along batch and channel, tiles never overlap (a relaxed step shorter than the tile counts in
    part); along rows and columns together, Timeloop takes the whole tile.
    """
    new = torch.zeros_like(whole)
    for axis in (ROW, COLUMN):
        if axis in shifts:
            part = torch.minimum(shifts[axis].abs(), extents[axis]) * (whole / extents[axis])
            new = torch.where((new > 0) & (part > 0), whole, new + part)
    for axis in (BATCH, CHANNEL):
        if axis in shifts:
            new = new + (shifts[axis].abs() / extents[axis]).clamp(max=1) * (whole - new)
    return new
