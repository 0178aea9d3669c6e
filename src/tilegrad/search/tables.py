"""Per layer of a workload: its legal factors and candidate loop orders, as tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import prod

import torch
from torch import Tensor

from tilegrad.mapping import LoopNest
from tilegrad.mapping.factors import count_factorisations
from tilegrad.mapping.orders import candidate_orders
from tilegrad.mapping.space import TEMPORAL, MapSpace, Slot
from tilegrad.workload import Problem

WHOLE = 5000
"""Combinations of two dims that are looked at whatever the budget."""

LEAST_COMBINATIONS = 64


@dataclass(frozen=True)
class LayerTable:
    """One layer's share of the mapspace.

    ``widths`` are mesh widths to fill, each by (level, axis). ``idle``: also choices that leave
    instances idle and are slower for that alone.
    """

    space: MapSpace
    problem: Problem
    widths: Sequence[Mapping[tuple[int, int], float]]
    idle: bool = False

    @cached_property
    def bounds(self) -> Tensor:
        """Problem bounds ``[dim]``."""
        return torch.tensor(self.problem.bounds, dtype=torch.float64)

    @cached_property
    def strides(self) -> Tensor:
        """The shape's coefficients ``[coefficient]``."""
        return torch.tensor(self.problem.strides, dtype=torch.float64)

    @cached_property
    def orders(self) -> Tensor:
        """Candidate orders ``[order, level, position]``."""
        used = frozenset(dim for dim, bound in enumerate(self.problem.bounds) if bound > 1)
        return torch.tensor(candidate_orders(self.space.accelerator, used))

    @cached_property
    def choices(self) -> list[Tensor]:
        """Per dim, every legal choice of its slots' factors, ``[choice, slot of the dim]``."""
        return [self._choices(dim) for dim in range(len(self.problem.bounds))]

    def _choices(self, dim: int) -> Tensor:
        slots = [self.space.slots[i] for i in self.space.slots_of[dim]]
        legal: dict[tuple[int, ...], None] = {}
        for limits in self._limits(dim):
            splits = self.space.splits(dim, self.problem.bounds[dim], limits)
            legal |= dict.fromkeys(splits if self.idle else _spread(splits, slots))
        return torch.tensor(list(legal), dtype=torch.float64).view(len(legal), len(slots))

    def _limits(self, dim: int) -> list[tuple[int, ...]]:
        """Return the slots' largest factors, for each of the mesh widths to fill."""
        bound = self.problem.bounds[dim]
        slots = [self.space.slots[i] for i in self.space.slots_of[dim]]
        return [
            tuple(
                bound if slot.axis == TEMPORAL else int(min(bound, widths[slot.level, slot.axis]))
                for slot in slots
            )
            for widths in self.widths
        ]

    def factors(self, nest: LoopNest) -> Tensor:
        """Return the factors ``[slot]`` of a mapping ``[level, dim]``."""
        return torch.stack(
            [
                nest.temporal[slot.level, slot.dim]
                if slot.axis == TEMPORAL
                else nest.spatial[slot.level, slot.axis, slot.dim]
                for slot in self.space.slots
            ]
        )

    def smallest(self) -> Tensor:
        """Return the factors ``[1, slot]`` that leave all loops to DRAM: they need the least."""
        return torch.ones(1, len(self.space.slots), dtype=torch.float64)

    def counted(self) -> list[int]:
        """Return per dim how many choices its slots' factors have at most, without making them."""
        return [
            max(
                count_factorisations(self.problem.bounds[dim], limits)
                for limits in self._limits(dim)
            )
            for dim in range(len(self.problem.bounds))
        ]

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

    def random(self, count: int, random: torch.Generator) -> Tensor:
        """Return random factors ``[row, slot]``: from uniform to mostly small inner loops."""
        rows = torch.ones(count, len(self.space.slots), dtype=torch.float64)
        powers = 2.0 ** torch.randint(4, (count,), generator=random)
        for dim, slots in enumerate(self.space.slots_of):
            if slots:
                choices = self.choices[dim]
                temporal = [s for s, slot in enumerate(slots) if self._is_temporal(slot)]
                smallest_first = choices[choices[:, temporal].prod(1).argsort()]
                share = torch.rand(count, generator=random) ** powers
                rows[:, list(slots)] = smallest_first[(share * len(choices)).long()]
        return rows

    def _is_temporal(self, slot: int) -> bool:
        return self.space.slots[slot].axis == TEMPORAL

    def block(self, factors: Tensor, dims: tuple[int, ...], most: int) -> Tensor:
        """Return ``factors [slot]`` with the legal combinations over ``dims``, ``[row, slot]``.

        All of them, or where they are more than ``most`` those of each dim's nearest choices.
        """
        choices = [self.choices[dim] for dim in dims]
        if prod(map(len, choices)) > most:
            each = max(2, int(most ** (1 / len(dims))))
            choices = [self._nearest(dim, factors, each) for dim in dims]
        index = torch.cartesian_prod(*(torch.arange(len(choice)) for choice in choices))
        rows = factors.repeat(len(index), 1)
        columns = index.view(len(index), -1).unbind(1)
        for column, dim, choice in zip(columns, dims, choices, strict=True):
            rows[:, list(self.space.slots_of[dim])] = choice[column]
        return rows

    def _nearest(self, dim: int, factors: Tensor, count: int) -> Tensor:
        """Return the ``count`` choices of a dim with the fewest and smallest changes of factors."""
        choices = self.choices[dim]
        here = factors[list(self.space.slots_of[dim])]
        distance = (choices.log() - here.log()).abs().sum(-1)
        return choices[distance.topk(min(count, len(choices)), largest=False).indices]

    def nests(self, factors: Tensor, orders: Tensor) -> LoopNest:
        """Return the mappings of ``factors [row, slot]`` with order indices ``[row]``."""
        bounds = self.bounds.expand(len(factors), -1)
        return self.space.mapping(factors, bounds, self.orders[orders])


def _spread(choices: Sequence[tuple[int, ...]], slots: Sequence[Slot]) -> list[tuple[int, ...]]:
    """Drop choices that leave instances idle for nothing.

    Spreading a loop over instances in place of repeating it, inside one level's tile, shortens the
    nest and adds no access: of all choices with the same tiles only the widest is kept. A level
    that only spreads the dim is one with the next level inwards.
    """
    repeating = {slot.level for slot in slots if slot.axis == TEMPORAL}
    if all(slot.axis == TEMPORAL for slot in slots):
        return list(choices)
    levels = sorted({slot.level for slot in slots})
    outer = [*levels[1:], None]
    ends = [level for level, o in zip(levels, outer, strict=True) if o is None or o in repeating]
    widest: dict[tuple[int, ...], tuple[int, ...]] = {}
    for choice in choices:
        pairs = list(zip(choice, slots, strict=True))
        key = tuple(prod(f for f, slot in pairs if slot.level <= end) for end in ends)
        if key not in widest or _parallel(choice, slots) > _parallel(widest[key], slots):
            widest[key] = choice
    return list(widest.values())


def _parallel(choice: tuple[int, ...], slots: Sequence[Slot]) -> int:
    return prod(f for f, slot in zip(choice, slots, strict=True) if slot.axis != TEMPORAL)


def blocks(table: LayerTable, most: int) -> list[tuple[tuple[int, ...], int]]:
    """Return sets of dims to solve jointly, and how many combinations of each to look at.

    Every pair of dims is in some set; pairs of very many combinations get their share of ``most``.
    """
    sets = _sets(table, most)
    sizes = [prod(len(table.choices[dim]) for dim in dims) for dims in sets]
    if sum(sizes) <= most:
        return list(zip(sets, sizes, strict=True))
    share = max(LEAST_COMBINATIONS, most // len(sets))
    return [(d, n if n <= WHOLE else share) for d, n in zip(sets, sizes, strict=True)]


def _sets(table: LayerTable, most: int) -> list[tuple[int, ...]]:
    sizes = {dim: len(choices) for dim, choices in enumerate(table.choices) if len(choices) > 1}
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
