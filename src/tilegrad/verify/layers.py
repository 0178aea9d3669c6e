"""Bounds of hardware without free sizes, layer by layer: what each mapping there costs at least.

Layers whose mappings are few are enumerated, by every choice of factors in every candidate order.
Of the others only the design's own mapping is held against their lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import comb, inf, prod

import numpy as np

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.errors import DataError
from tilegrad.mapping.orders import candidate_orders
from tilegrad.mapping.space import TEMPORAL, MapSpace, Slot
from tilegrad.verify.certificate import Cell
from tilegrad.verify.costs import Counts
from tilegrad.verify.counts import Nests
from tilegrad.workload import Problem

MOST = 200_000
"""Mappings of a layer that are enumerated: choices of factors times orders."""

MOST_LOOPS = 12
"""Temporal loops of such a layer: a walk takes 2 steps to the power of them."""

CLOSE = 1e-8
"""Relative rounding of energies."""


@dataclass(frozen=True)
class EveryMapping:
    """All mappings of a layer on an accelerator of given sizes."""

    accelerator: Accelerator
    problem: Problem
    sizes: Mapping[str, float]

    @cached_property
    def machine(self) -> Accelerator:
        """The accelerator with its levels' dims in those of the layer's shape."""
        return self.accelerator.running(self.problem.shape)

    @cached_property
    def slots(self) -> list[list[Slot]]:
        """Per dim the places of its factors, but for the outermost loop."""
        slots = MapSpace(self.machine).slots
        return [[s for s in slots if s.dim == dim] for dim in range(len(self.problem.bounds))]

    @cached_property
    def orders(self) -> Sequence[tuple[tuple[int, ...], ...]]:
        """The candidate orders."""
        used = frozenset(dim for dim, bound in enumerate(self.problem.bounds) if bound > 1)
        return candidate_orders(self.machine, used)

    @property
    def few(self) -> bool:
        """Whether a walk of each mapping takes seconds."""
        loops = sum(
            1 + sum(slot.axis == TEMPORAL for slot in slots)
            for bound, slots in zip(self.problem.bounds, self.slots, strict=True)
            if bound > 1
        )
        return loops <= MOST_LOOPS and self.count <= MOST

    @property
    def count(self) -> int:
        """How many choices of factors there are in all orders, too wide ones among them."""
        ways = (
            comb(power + len(places), power)
            for bound, places in zip(self.problem.bounds, self.slots, strict=True)
            for power in _powers(bound)
        )
        return prod(ways) * len(self.orders)

    def least(self, prices: Sequence[float | None]) -> list[float]:
        """Return the least energy + price * cycles [pJ] at each price (None: the least cycles)."""
        found = [inf] * len(prices)
        temporal, spatial = self.factors()
        for order in self.orders:
            counts = Counts.of(Nests(self.machine, self.problem, temporal, spatial, order))
            fits = counts.fits(self.sizes)
            if not fits.any():
                continue
            energy = sum(counts.energies(self.sizes), np.zeros(len(fits)))[fits]
            cycles = np.max(counts.cycles(self.sizes), axis=0)[fits]
            for place, price in enumerate(prices):
                costs = cycles if price is None else energy + price * cycles
                found[place] = min(found[place], float(costs.min()))
        return found

    def factors(self) -> tuple[list[list[np.ndarray]], list[list[list[np.ndarray]]]]:
        """Return temporal ``[level][dim]`` and spatial ``[level][axis][dim]`` factors ``[row]``."""
        pairs = zip(self.problem.bounds, self.slots, strict=True)
        each = [list(_splits(bound, len(slots) + 1)) for bound, slots in pairs]
        rows = np.array(list(product(*(range(len(choices)) for choices in each))))
        one, dims = np.ones(len(rows)), range(len(each))
        temporal = [[one for _ in dims] for _ in self.machine.levels]
        spatial = [[[one for _ in dims] for _ in AXES] for _ in self.machine.levels]
        for dim, choices in enumerate(each):
            table = np.array(choices, dtype=np.float64)[rows[:, dim]]
            for column, slot in enumerate(self.slots[dim]):
                if slot.axis == TEMPORAL:
                    temporal[slot.level][dim] = table[:, column]
                else:
                    spatial[slot.level][slot.axis][dim] = table[:, column]
            temporal[-1][dim] = table[:, -1]
        return temporal, spatial


def check_layers(
    cell: Cell,
    design: Sequence[Counts],
    every: Sequence[EveryMapping],
    networks: Sequence[range],
    looked_at: Sequence[int],
) -> int:
    """Refuse lines above what some mapping costs; return how many layers were enumerated.

    ``design``: the counts of the design's own mapping of each layer; ``networks``: their layers;
    ``looked_at``: the layers to enumerate, where their mappings are not too many.
    """
    enumerated = 0
    for shown in cell.shown:
        for lines, layers in zip(shown.networks, networks, strict=True):
            for index in layers:
                line = lines.layer(index - layers.start)
                looked = index in looked_at and every[index].few
                enumerated += looked
                _check_layer(line, design[index], every[index], looked)
    return enumerated


def _check_layer(
    line: Sequence[tuple[float | None, float]], own: Counts, mappings: EveryMapping, looked: bool
) -> None:
    energy = sum(float(part[0]) for part in own.energies(mappings.sizes))
    cycles = max(float(part[0]) for part in own.cycles(mappings.sizes))
    prices = [price for price, _ in line]
    least = [cycles if price is None else energy + price * cycles for price in prices]
    if looked:
        least = [min(pair) for pair in zip(least, mappings.least(prices), strict=True)]
    for (price, value), found in zip(line, least, strict=True):
        there = found * mappings.problem.count
        if value > there * (1 + CLOSE):
            raise DataError(
                f"cells.0: layer {mappings.problem.name!r} has a mapping of {there!r} at the "
                f"price {price!r}, below its {value!r}"
            )


def check_given(cell: Cell, sizes: Mapping[str, float]) -> None:
    """Refuse a cell that is not the hardware that is given."""
    if any(tuple(ends) != (sizes[name], sizes[name]) for name, ends in cell.ends.items()):
        raise DataError("cells.0.ends are not the sizes that are given")


def _splits(bound: int, places: int) -> Iterator[tuple[int, ...]]:
    """Yield all ways to write a bound as a product of so many factors."""
    if places == 1:
        yield (bound,)
        return
    for first in range(1, bound + 1):
        if bound % first == 0:
            for rest in _splits(bound // first, places - 1):
                yield (first, *rest)


def _powers(bound: int) -> list[int]:
    """Return the powers of a bound's prime factors."""
    found, prime = [], 2
    while bound > 1:
        power = 0
        while bound % prime == 0:
            bound, power = bound // prime, power + 1
        if power:
            found.append(power)
        prime += 1
    return found
