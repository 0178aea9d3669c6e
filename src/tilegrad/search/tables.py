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

    ``widths`` are mesh widths to fill, each by (level, axis).
    """

    space: MapSpace
    problem: Problem
    widths: Sequence[Mapping[tuple[int, int], float]]

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
        legal: dict[tuple[int, ...], None] = {}
        for widths in self.widths:
            limits = tuple(
                self.problem.bounds[dim]
                if slot.axis == TEMPORAL
                else int(min(self.problem.bounds[dim], widths[slot.level, slot.axis]))
                for slot in slots
            )
            legal |= dict.fromkeys(_spread(factorisations(self.problem.bounds[dim], limits), slots))
        return torch.tensor(list(legal), dtype=torch.float64).view(len(legal), len(slots))

    def nearest(self, factors: Tensor) -> Tensor:
        """Return the legal factors nearest in log space, ``[row, slot]`` to ``[row, slot]``."""
        return self._near(factors, 1).squeeze(1)

    def neighbours(self, factors: Tensor) -> Tensor:
        """Return all combinations of each dim's two nearest choices, ``[neighbour, slot]``."""
        return self._near(factors, 2).flatten(0, 1).unique(dim=0)

    def _near(self, factors: Tensor, most: int) -> Tensor:
        """Combine each dim's ``most`` nearest choices: ``[row, combination, slot]``."""
        near = torch.ones(len(factors), 1, len(self.space.slots), dtype=torch.float64)
        for dim, slots in enumerate(self.space.slots_of):
            if slots and self.problem.bounds[dim] > 1:
                columns = list(slots)
                distance = torch.cdist(factors[:, columns].log(), self.choices[dim].log())
                count = min(most, len(self.choices[dim]))
                picked = self.choices[dim][distance.topk(count, largest=False).indices]
                near = near.repeat(1, count, 1)
                near[:, :, columns] = picked.repeat_interleave(near.shape[1] // count, 1)
        return near

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
    nest and adds no access: of all choices with the same tiles only the widest is kept.
    """
    levels = [slot.level for slot in slots if slot.axis != TEMPORAL]
    if not levels:
        return list(choices)
    outermost = max(levels)
    widest: dict[tuple[int, ...], tuple[int, ...]] = {}
    for choice in choices:
        pairs = list(zip(choice, slots, strict=True))
        tile = prod(factor for factor, slot in pairs if slot.level <= outermost)
        key = (tile, *(factor for factor, slot in pairs if slot.level > outermost))
        if key not in widest or _parallel(choice, slots) > _parallel(widest[key], slots):
            widest[key] = choice
    return list(widest.values())


def _parallel(choice: tuple[int, ...], slots: Sequence[Slot]) -> int:
    return prod(f for f, slot in zip(choice, slots, strict=True) if slot.axis != TEMPORAL)


def blocks(table: LayerTable, most: int) -> list[tuple[int, ...]]:
    """Return sets of dims to solve jointly, at most about ``most`` combinations in all.

    Every pair of dims is in some set, so the sets are never fewer than the pairs need.
    """
    sizes = {
        dim: len(table.choices[dim]) for dim in range(len(DIMS)) if len(table.choices[dim]) > 1
    }
    pairs: list[tuple[int, ...]] = [*combinations(sizes, 2)] or [(dim,) for dim in sizes]
    room = most
    while True:
        sets = _cover(pairs, sizes, room)
        rows = sum(prod(sizes[dim] for dim in dims) for dims in sets)
        if rows <= most or sets == _cover(pairs, sizes, 1):
            return sets
        room //= 2


def _cover(
    pairs: Sequence[tuple[int, ...]], sizes: dict[int, int], room: int
) -> list[tuple[int, ...]]:
    """Return the pairs, grown to sets of up to ``room`` combinations, without subsets."""
    grown = {_grow(pair, sizes, room) for pair in pairs}
    return sorted(dims for dims in grown if not any(set(dims) < set(other) for other in grown))


def _grow(start: tuple[int, ...], sizes: dict[int, int], room: int) -> tuple[int, ...]:
    """Add dims, those with the fewest choices first, while the product stays within ``room``."""
    rows = prod(sizes[dim] for dim in start)
    grown = list(start)
    for dim in sorted(set(sizes) - set(start), key=lambda d: (sizes[d], d)):
        if rows * sizes[dim] <= room:
            grown.append(dim)
            rows *= sizes[dim]
    return tuple(sorted(grown))
