"""The mapspace: which factors of a mapping are free, and the mapping they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.mapping.covers import covers, is_awkward
from tilegrad.mapping.factors import factorisations
from tilegrad.mapping.loopnest import LoopNest

TEMPORAL = -1


@dataclass(frozen=True)
class Slot:
    """A free factor: a temporal loop of a level (axis ``TEMPORAL``) or a spatial one below it."""

    level: int
    axis: int
    dim: int


@dataclass(frozen=True)
class MapSpace:
    """All mappings of an accelerator; the outermost temporal loops take what the slots leave.

    ``with_renamed`` keeps the factors that only rename others: the same costs, other loop nests.
    Where ``padded``, whole factors of awkward bounds need not divide them: what they leave to the
    outermost loops is rounded up. Relaxed factors are never padded.
    """

    accelerator: Accelerator
    with_renamed: bool = False
    padded: bool = False

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """The free factors."""
        outermost = len(self.accelerator.levels) - 1
        slots = []
        for index, level in enumerate(self.accelerator.levels):
            for axis, fanout in level.fanout.items():
                slots += [Slot(index, AXES.index(axis), dim) for dim in fanout.dims]
            if index < outermost:
                slots += [
                    Slot(index, TEMPORAL, d) for d in level.loops if not self._renamed(index, d)
                ]
        return tuple(slots)

    def _renamed(self, level: int, dim: int) -> bool:
        """Return whether a loop here equals the innermost loop of the next level out."""
        if self.with_renamed:
            return False
        level_keeps = self.accelerator.levels[level].keeps
        relevant = self.accelerator.shape.relevant
        moves = any(dim in relevant[tensor] for tensor in level_keeps)
        return not moves and dim in self.accelerator.levels[level + 1].loops

    @cached_property
    def slots_of(self) -> tuple[tuple[int, ...], ...]:
        """Positions in ``slots`` of each dim's factors."""
        return tuple(
            tuple(i for i, slot in enumerate(self.slots) if slot.dim == dim)
            for dim in range(len(self.accelerator.shape.dims))
        )

    def splits(self, dim: int, bound: int, limits: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        """Return every choice of factors for a dim's slots, none above its limit."""
        slots = [self.slots[index] for index in self.slots_of[dim]]
        widths = [most for slot, most in zip(slots, limits, strict=True) if slot.axis != TEMPORAL]
        if self.padded and is_awkward(bound, tuple(widths)):
            return covers(bound, limits)
        return factorisations(bound, limits)

    def outermost(
        self, factors: Float64[Tensor, "*#batch slot"], bounds: Float64[Tensor, "*#batch dim"]
    ) -> list[Tensor]:
        """Return what ``factors [..., slot]`` leave of ``bounds [..., dim]``, per dim ``[...]``."""
        left = list(bounds.unbind(-1))
        if self.padded:
            return self._rounded_up(factors, left)
        for slot, factor in zip(self.slots, factors.unbind(-1), strict=True):
            left[slot.dim] = left[slot.dim] / factor
        return left

    def _rounded_up(self, factors: Tensor, bounds: list[Tensor]) -> list[Tensor]:
        """Return how many tiles cover the bounds, by one division: several could pass a whole."""
        inside = [torch.ones_like(bound) for bound in bounds]
        for slot, factor in zip(self.slots, factors.unbind(-1), strict=True):
            inside[slot.dim] = inside[slot.dim] * factor
        return [(bound / tile).ceil() for bound, tile in zip(bounds, inside, strict=True)]

    def mapping(
        self,
        factors: Float64[Tensor, "*#batch slot"],
        bounds: Float64[Tensor, "*#batch dim"],
        order: Int64[Tensor, "*#batch level dim"],
    ) -> LoopNest:
        """Return the mappings of ``factors [..., slot]``, ``bounds [..., dim]`` and ``order``."""
        columns = dict(zip(self.slots, factors.unbind(-1), strict=True))
        left = self.outermost(factors, bounds)
        one = torch.ones_like(left[0])
        levels = range(len(self.accelerator.levels))
        dims = range(len(left))
        temporal = [
            [columns.get(Slot(level, TEMPORAL, dim), one) for dim in dims] for level in levels[:-1]
        ]
        spatial = [
            [
                [columns.get(Slot(level, axis, dim), one) for dim in dims]
                for axis in range(len(AXES))
            ]
            for level in levels
        ]
        return LoopNest(
            torch.stack([_stack(level) for level in [*temporal, left]]).movedim((0, 1), (-2, -1)),
            torch.stack(
                [torch.stack([_stack(axis) for axis in level]) for level in spatial]
            ).movedim((0, 1, 2), (-3, -2, -1)),
            order,
        )


def _stack(columns: Sequence[Tensor]) -> Tensor:
    return torch.stack(torch.broadcast_tensors(*columns))
