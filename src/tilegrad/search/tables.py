"""Per layer of a workload: its legal factors and candidate loop orders, as tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import prod

import torch
from torch import Tensor

from tilegrad.dims import DIMS
from tilegrad.mapping import Mapping as LoopNest
from tilegrad.mapping.factors import factorisations
from tilegrad.mapping.orders import candidate_orders
from tilegrad.mapping.space import TEMPORAL, MapSpace, Slot
from tilegrad.workload import Problem


@dataclass(frozen=True)
class LayerTable:
    """One layer's share of the mapspace.

    ``widths`` caps the spatial factors: the largest mesh width by (level, axis).
    """

    space: MapSpace
    problem: Problem
    widths: Mapping[tuple[int, int], float]

    @cached_property
    def bounds(self) -> Tensor:
        """Problem bounds ``[dim]``."""
        return torch.tensor(self.problem.bounds, dtype=torch.float64)

    @cached_property
    def strides(self) -> Tensor:
        """Strides and dilations ``[4]``."""
        return torch.tensor(self.problem.strides, dtype=torch.float64)

    @cached_property
    def orders(self) -> Tensor:
        """Candidate orders ``[order, level, position]``."""
        used = frozenset(dim for dim, bound in enumerate(self.problem.bounds) if bound > 1)
        return torch.tensor(candidate_orders(self.space.accelerator, used))

    @cached_property
    def choices(self) -> list[Tensor]:
        """Per dim, every legal choice of its slots' factors, ``[choice, slot of the dim]``."""
        return [self._choices(dim) for dim in range(len(DIMS))]

    def _choices(self, dim: int) -> Tensor:
        slots = [self.space.slots[i] for i in self.space.slots_of[dim]]
        bound = self.problem.bounds[dim]
        limits = tuple(
            bound if s.axis == TEMPORAL else int(min(bound, self.widths[s.level, s.axis]))
            for s in slots
        )
        legal = _spread(factorisations(bound, limits), slots)
        return torch.tensor(legal, dtype=torch.float64).view(len(legal), len(slots))

    def nearest(self, factors: Tensor) -> Tensor:
        """Return the legal factors nearest in log space, ``[..., slot]`` to ``[..., slot]``."""
        rounded = torch.ones_like(factors)
        for dim, slots in enumerate(self.space.slots_of):
            if slots:
                columns = list(slots)
                distance = torch.cdist(
                    factors[..., columns].log().reshape(-1, len(columns)), self.choices[dim].log()
                )
                picked = self.choices[dim][distance.argmin(-1)]
                rounded[..., columns] = picked.view(*factors.shape[:-1], len(columns))
        return rounded

    def block(self, factors: Tensor, dims: tuple[int, ...]) -> Tensor:
        """Return ``factors [slot]`` with every legal combination over ``dims``, ``[row, slot]``."""
        index = torch.cartesian_prod(*(torch.arange(len(self.choices[dim])) for dim in dims))
        rows = factors.repeat(len(index), 1)
        for column, dim in zip(index.view(len(index), -1).unbind(1), dims, strict=True):
            rows[:, list(self.space.slots_of[dim])] = self.choices[dim][column]
        return rows

    def nests(self, factors: Tensor, orders: Tensor) -> LoopNest:
        """Return the mappings of ``factors [row, slot]`` with order indices ``[row]``."""
        bounds = self.bounds.expand(len(factors), -1)
        return self.space.mapping(factors, bounds, self.orders[orders])


def _spread(choices: Sequence[tuple[int, ...]], slots: Sequence[Slot]) -> list[tuple[int, ...]]:
    """Drop choices that leave instances idle for nothing.

    Spreading a loop over instances in place of repeating it, inside one level's tile, shortens the
    nest and adds no access; so of all choices with the same tiles only the widest is kept.
    """
    outer = [i for i, slot in enumerate(slots) if slot.axis != TEMPORAL]
    if not outer:
        return list(choices)
    widest: dict[tuple[int, ...], tuple[int, ...]] = {}
    for choice in choices:
        tiles = tuple(
            prod(f for f, inner in zip(choice, slots, strict=True) if inner.level <= slots[i].level)
            for i in outer
        )
        rest = tuple(f for f, s in zip(choice, slots, strict=True) if s.level > slots[outer[0]].level)
        key = (*tiles, *rest)
        spread = prod(choice[i] for i in outer)
        if key not in widest or spread > prod(widest[key][i] for i in outer):
            widest[key] = choice
    return list(widest.values())


def blocks(table: LayerTable, most: int) -> list[tuple[int, ...]]:
    """Return sets of dims to solve jointly: all pairs, and larger sets of up to ``most`` rows."""
    sizes = {dim: len(table.choices[dim]) for dim in range(len(DIMS)) if len(table.choices[dim]) > 1}
    pairs = list(combinations(sizes, 2)) or [(dim,) for dim in sizes]
    grown = {_grow(pair, sizes, most) for pair in pairs}
    return sorted(s for s in grown if not any(set(s) < set(t) for t in grown))


def _grow(start: tuple[int, ...], sizes: dict[int, int], most: int) -> tuple[int, ...]:
    """Add dims, those with the fewest choices first, while the product stays within ``most``."""
    rows = prod(sizes[dim] for dim in start)
    grown = list(start)
    for dim in sorted(set(sizes) - set(start), key=lambda d: (sizes[d], d)):
        if rows * sizes[dim] <= most:
            grown.append(dim)
            rows *= sizes[dim]
    return tuple(sorted(grown))
