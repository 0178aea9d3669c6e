"""Uniformly random mappings of a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from math import inf

import torch
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.mapping.loopnest import LoopNest
from tilegrad.mapping.space import TEMPORAL, MapSpace, Slot
from tilegrad.workload import Problem


class Sampler:
    """Draws mappings of one layer: each dim's factors uniform over all legal ones, any order.

    Where ``padded``, those of awkward bounds need not divide them.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        problem: Problem,
        hardware: Mapping[str, float],
        padded: bool = False,
    ) -> None:
        self.space = MapSpace(accelerator, with_renamed=True, padded=padded)
        self.bounds = torch.tensor(problem.bounds, dtype=torch.float64)
        self._choices = [self._legal(dim, problem, hardware) for dim in range(len(problem.bounds))]

    def _legal(self, dim: int, problem: Problem, hardware: Mapping[str, float]) -> Tensor:
        slots = [self.space.slots[index] for index in self.space.slots_of[dim]]
        bound = problem.bounds[dim]
        limits = tuple(bound if s.axis == TEMPORAL else self._width(s, hardware) for s in slots)
        legal = self.space.splits(dim, bound, limits)
        return torch.tensor(legal, dtype=torch.float64).view(len(legal), len(slots))

    def _width(self, slot: Slot, hardware: Mapping[str, float]) -> int:
        fanout = self.space.accelerator.levels[slot.level].fanout[AXES[slot.axis]]
        return int(fanout.width(hardware))

    def within(self, hardware: Mapping[str, float]) -> Sampler:
        """Return a sampler of those of the mappings whose factors meshes of these sizes hold."""
        narrower = copy(self)
        narrower._choices = [
            legal[(legal <= self._limits(slots, hardware)).all(1)]
            for slots, legal in zip(self.space.slots_of, self._choices, strict=True)
        ]
        return narrower

    def _limits(self, slots: Sequence[int], hardware: Mapping[str, float]) -> Tensor:
        """Return the largest factors of some slots ``[slot]``: meshes' widths."""
        each = (self.space.slots[index] for index in slots)
        widths = [inf if slot.axis == TEMPORAL else self._width(slot, hardware) for slot in each]
        return torch.tensor(widths, dtype=torch.float64)

    def draw(self, count: int, random: torch.Generator) -> LoopNest:
        """Return ``count`` mappings ``[count, level, dim]``."""
        return self.nests(*self.draw_choices(count, random))

    def draw_choices(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return what ``count`` mappings are made of: factors ``[count, slot]`` and orders."""
        factors = torch.ones(count, len(self.space.slots), dtype=torch.float64)
        for slots, legal in zip(self.space.slots_of, self._choices, strict=True):
            picked = torch.randint(len(legal), (count,), generator=random)
            factors[:, list(slots)] = legal[picked]
        levels = len(self.space.accelerator.levels)
        # Dims without a loop go outermost, where the analysis leaves them out for all alike.
        keys = torch.rand(count, levels, len(self.bounds), generator=random) + (self.bounds > 1)
        return factors, keys.argsort(-1)

    def nests(self, factors: Tensor, order: Tensor) -> LoopNest:
        """Return the mappings of factors ``[row, slot]`` and orders ``[row, level, dim]``."""
        return self.space.mapping(factors, self.bounds.expand(len(factors), -1), order)
