"""How many words of a sliding tile are fetched: Timeloop's tile-sequence state machine.

Timeloop walks iterations #0 and #1 of every loop, #1 standing for the rest, and keeps one state
per tile: the last translation, or none. A step to the next tile fetches

- the part that is new, where no translation is remembered (this one then is) or where it equals
  the remembered one;
- the whole tile otherwise, and the translation is forgotten.

A tile that moves along two of its sliding axes (row and column) is fetched whole. The walk is a
binary counter, so the work inside a loop is the same for all its iterations: it factorises over
loops, innermost first. Every pass through a loop body begins and ends with a step of the innermost
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
from operator import and_, mul, or_

import torch
from torch import Tensor

from tilegrad.mapping.batch import broadcast_shapes
from tilegrad.nest.loops import Loops, readable
from tilegrad.shape import Axis

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
    still: Tensor | None
    equal: Tensor
    outside: Tensor

    def at(self, position: int) -> Steps:
        """Return the steps of one position."""
        return Steps(
            self.repeats[position],
            self.new[position],
            self.active[position],
            None if self.still is None else self.still[position],
            self.equal[position],
            self.outside[position],
        )


def sliding_fills(
    loops: Loops, axes: Sequence[Axis], extents: Sequence[Tensor], skip_still: bool
) -> Tensor:
    """Return the words of a tensor's tile fetched over ``loops``, ``[...]``.

    ``extents`` are the tile's along each of the tensor's ``axes``; the loops' steps are in words of
    those axes. ``skip_still`` is the current Timeloop's rule for steps of length 0.
    """
    whole = reduce(mul, extents)
    steps = _steps(loops, axes, extents, whole, skip_still)
    return whole + _walk(steps, whole)


def _walk(steps: Steps, whole: Tensor) -> Tensor:
    """Return the words fetched by all steps, wrapping one loop after another around the body.

    ``words[state]`` are fetched by the body when it is entered in that state; ``leaves[state]``
    says whether it is left in ``SAME`` (else ``EMPTY``).
    """
    shape = broadcast_shapes(steps.new.shape[1:], whole.shape)
    words = whole.new_zeros(3, *shape)
    leaves = (torch.arange(3, device=whole.device) == SAME).view(3, *[1] * len(shape))
    leaves = leaves.expand(3, *shape)
    for position in range(len(steps.new)):
        step = steps.at(position)
        again = _enter(words, leaves, step, whole)
        then = _leave(leaves, step)
        words = words + step.repeats * again
        leaves = _choose(step.active, then, leaves)
    return words[EMPTY]


def _enter(words: Tensor, leaves: Tensor, step: Steps, whole: Tensor) -> Tensor:
    """Return the words of one step and the body after it, by the state the body was entered in."""
    from_empty = step.new + torch.where(step.equal, words[SAME], words[OTHER])
    from_same = torch.where(step.equal, step.new + words[SAME], whole + words[EMPTY])
    if step.still is not None:
        from_empty = torch.where(step.still, words[EMPTY], from_empty)
        from_same = torch.where(step.still, words[SAME], from_same)
    again = torch.where(leaves, from_same, from_empty)
    # Entered in OTHER, the innermost moving loop fetches whole tiles and forgets.
    from_other = torch.where(step.outside, again[OTHER], whole)
    return torch.stack([again[EMPTY], again[SAME], from_other])


def _leave(leaves: Tensor, step: Steps) -> Tensor:
    """Return whether the body after a step is left in ``SAME``, by the state at the beginning."""
    from_empty = _choose(step.equal, leaves[SAME], leaves[OTHER])
    from_same = _choose(step.equal, leaves[SAME], leaves[EMPTY])
    if step.still is not None:
        from_empty = _choose(step.still, leaves[EMPTY], from_empty)
        from_same = _choose(step.still, leaves[SAME], from_same)
    then = _choose(leaves, from_same, from_empty)
    return torch.stack([then[EMPTY], then[SAME], then[OTHER] & step.outside])


def _choose(condition: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """Return ``torch.where`` of booleans, which is several times faster in this form."""
    return no ^ (condition & (yes ^ no))


def _steps(
    loops: Loops, axes: Sequence[Axis], extents: Sequence[Tensor], whole: Tensor, skip_still: bool
) -> Steps:
    shifts = _shifts(loops, axes)
    active = loops.bound > 1
    unmoved = [shift == 0 for shift in shifts.values()]
    still = active & _all(unmoved, active) if skip_still else None
    moving = active if still is None else active & ~still
    before = accumulate(moving.unbind(0)[:-1], or_, initial=torch.zeros_like(moving[0]))
    outside = torch.stack(list(before))
    innermost = (moving & ~outside).double()
    first = {axis: (shift * innermost).sum(0) for axis, shift in shifts.items()}
    same = [shift == first[axis] for axis, shift in shifts.items()]
    equal = _all(same, active).expand_as(active)
    new = _new_part(shifts, axes, extents, whole).expand_as(active)
    return Steps(loops.bound - 1, new, active, still, equal, outside)


def _shifts(loops: Loops, axes: Sequence[Axis]) -> dict[int, Tensor]:
    """Return each step's translation, by axis that moves at all in the batch.

    A step moves on by the loop's own step and back by what the loops inside have walked.
    """
    shifts = {}
    for place, axis in enumerate(axes):
        here = loops.along(axis.dims)
        if not readable(here) or (here * (loops.bound != 1)).any():
            along = loops.step * here
            walks = (along * loops.present).unbind(0)[:-1]
            walked = accumulate(walks, initial=along.new_zeros(()))
            shifts[place] = along - torch.stack(torch.broadcast_tensors(*walked))
    return shifts


def _all(conditions: Sequence[Tensor], like: Tensor) -> Tensor:
    return reduce(and_, conditions, like.new_ones((), dtype=torch.bool))


def _new_part(
    shifts: dict[int, Tensor], axes: Sequence[Axis], extents: Sequence[Tensor], whole: Tensor
) -> Tensor:
    """Return the words of a shifted tile that were not in the tile before.

    Along plain axes, tiles never overlap (a relaxed step shorter than the tile counts in part);
    along two sliding ones together, Timeloop takes the whole tile.
    """
    new = torch.zeros_like(whole)
    for axis in (place for place in shifts if axes[place].slides):
        part = torch.minimum(shifts[axis].abs(), extents[axis]) * (whole / extents[axis])
        new = torch.where((new > 0) & (part > 0), whole, new + part)
    for axis in (place for place in shifts if not axes[place].slides):
        new = new + (shifts[axis].abs() / extents[axis]).clamp(max=1) * (whole - new)
    return new
