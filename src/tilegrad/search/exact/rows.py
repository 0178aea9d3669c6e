"""What every mapping of every layer asks of hardware: rows of figures, for a range of meshes.

The mappings are those of the search's own mapspace (``LayerTable``): every choice of factors, of
those that leave instances idle for nothing only the widest, in every candidate order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tilegrad.accelerator import ACCESSES, AXES, Accelerator
from tilegrad.accelerator.expression import Value
from tilegrad.accelerator.level import PORTS
from tilegrad.cost.analytical import clusters, level_words
from tilegrad.cost.footprint import energy_rates, port_widths
from tilegrad.cost.hardware import excess, least_hardware
from tilegrad.mapping import LoopNest
from tilegrad.nest import Nest, analyse
from tilegrad.search.problem import SearchProblem
from tilegrad.search.tables import LayerTable

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

TILES = 20_000
"""Choices of factors that are analysed together."""

ROUNDING = 1e-12
"""Relative error of a latency that is about to be rounded up."""

Figures = tuple[NDArray[Any], ...]
Batch = tuple[int, int]

PROBES = (1.0, 2.0, 37.0, 1000.0)
"""Multiples of the least sizes at which energies are compared."""


@dataclass(frozen=True)
class Rates:
    """Which columns of ``Footprint.energy_words`` cost the same whatever the sizes, which alike.

    ``constant [column]`` are pJ per word, 0 for those of ``groups`` (columns of equal rates).
    """

    constant: Floats
    groups: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, accelerator: Accelerator, corners: Sequence[Mapping[str, float]]) -> Rates:
        """Return the groups for meshes at the ``corners`` of a box (which hold fixed sizes too)."""
        found = []
        for corner in corners:
            for times in PROBES:
                sizes = {
                    name: corner.get(name, max(1.0, each.minimum) * times)
                    for name, each in accelerator.parameters.items()
                }
                found.append(energy_rates(accelerator, sizes))
        table = torch.stack(found).numpy()
        same = (table == table[0]).all(0)
        columns: dict[bytes, list[int]] = {}
        for column in np.flatnonzero(~same).tolist():
            columns.setdefault(table[:, column].tobytes(), []).append(column)
        return cls(np.where(same, table[0], 0.0), tuple(map(tuple, columns.values())))


@dataclass(frozen=True)
class Rows:
    """Mappings of a network's layers, all executions together; those of a layer from ``starts`` on.

    ``constant [row]``: pJ that no size changes; ``words [row, group]`` of ``Rates.groups``, and
    ``rates [row, group]``, what these cost at least on hardware that holds the mapping [pJ];
    ``cycles [row]`` at the widest ports; ``needed [row, step]``: least sizes of the parameters that
    mappings tell, in the order of the plan's steps; ``place [row]``: the mapping's place in its
    layer's list; ``largest [step]``: sizes that no mapping needs more of on any mesh of the range.
    """

    constant: Floats
    words: Floats
    rates: Floats
    cycles: Floats
    needed: Floats
    place: Places
    starts: Places
    largest: Floats

    def __len__(self) -> int:
        return len(self.constant)

    def only(self, kept: NDArray[np.bool_]) -> Rows | None:
        """Return the rows that are ``kept``; None where some layer has none left."""
        sizes = np.add.reduceat(kept.astype(np.int64), self.starts)
        if not sizes.all():
            return None
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        return Rows.of([part[kept] for part in self.parts], self.place[kept], starts, self.largest)

    def pick(self, rows: Places) -> Rows:
        """Return one row of each layer."""
        found = [part[rows] for part in self.parts]
        return Rows.of(found, self.place[rows], np.arange(len(rows)), self.largest)

    @property
    def parts(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """The figures, in the order of the fields."""
        return self.constant, self.words, self.rates, self.cycles, self.needed

    @classmethod
    def join(cls, layers: Sequence[Rows]) -> Rows:
        """Return the rows of several layers."""
        sizes = [len(each) for each in layers]
        joined = [*map(np.concatenate, zip(*(each.parts for each in layers), strict=True))]
        place = np.concatenate([each.place for each in layers])
        largest = np.maximum.reduce([each.largest for each in layers])
        return cls.of(joined, place, np.cumsum([0, *sizes[:-1]]), largest)

    @classmethod
    def of(cls, parts: Sequence[Floats], place: Places, starts: Places, largest: Floats) -> Rows:
        """Invert ``parts``."""
        constant, words, rates, cycles, needed = parts
        return cls(constant, words, rates, cycles, needed, place, starts, largest)


@dataclass(frozen=True)
class Meshes:
    """A range of meshes: rows are enumerated for the widest, bounds hold for all of it.

    ``corners``: the hardware's fixed sizes with each end of the free meshes' ranges; the last one
    has the widest.
    """

    problem: SearchProblem
    corners: tuple[dict[str, float], ...]

    @classmethod
    def of(cls, problem: SearchProblem, ends: Mapping[str, tuple[float, float]]) -> Meshes:
        """Return the meshes within ``ends``."""
        fixed = dict(problem.hardware.fixed)
        ranges = [dict.fromkeys(each) for each in ends.values()]
        corners = (dict(zip(ends, sizes, strict=True)) for sizes in product(*ranges))
        return cls(problem, tuple({**fixed, **corner} for corner in corners))

    @cached_property
    def rates(self) -> Rates:
        """How energies depend on what is left free."""
        return Rates.of(self.problem.accelerator, self.corners)

    @cached_property
    def tables(self) -> list[LayerTable]:
        """Each layer's choices on the widest mesh."""
        widths = {
            (index, AXES.index(axis)): float(fanout.width(self.corners[-1]))
            for index, level in enumerate(self.problem.accelerator.levels)
            for axis, fanout in level.fanout.items()
        }
        layers, spaces = self.problem.workload.layers, self.problem.spaces
        return [LayerTable(spaces[layer.shape], layer, [widths]) for layer in layers]

    def rows(self, layer: int, figures: Sequence[Figures]) -> Rows:
        """Return the rows of one layer by what ``figures`` gave for its tiles, one part a time."""
        constant, words, cycles, place, *needs = map(np.concatenate, zip(*figures, strict=True))
        times = self.problem.workload.layers[layer].count
        needed, least, largest = self._sizes(needs)
        parts = [constant * times, words * times, least, cycles * times, needed]
        return Rows.of(parts, place, np.zeros(1, dtype=np.int64), largest)

    def figures(self, nest: Nest, accelerator: Accelerator, first: int, batch: Batch) -> Figures:
        """Return constant, words, cycles, place and needs of tiles from the ``first`` on, by row.

        ``nest [tile, order]`` is their analysis, ``batch`` how many there are of each.
        """
        rates = self.rates
        energy = torch.stack([each.expand(batch) for each in self._energy_words(nest)], -1).numpy()
        constant = energy @ rates.constant
        groups = [energy[..., list(group)].sum(-1) for group in rates.groups]
        words = np.stack(groups, -1) if groups else np.empty((*batch, 0))
        cycles = self._cycles(nest).expand(batch).numpy()
        needs = [column.need(nest).expand(batch).numpy() for column in accelerator.columns]
        over = (torch.zeros(batch) + excess(accelerator.constant, nest, {})).numpy() > 0
        kept = ~over & undominated(
            np.concatenate([cycles[..., None], constant[..., None], words], -1)
        )
        place = np.arange(first * batch[1], (first + batch[0]) * batch[1]).reshape(batch)
        return tuple(part[kept] for part in (constant, words, cycles, place, *needs))

    def _energy_words(self, nest: Nest) -> list[Tensor]:
        """Return MACs, then the words of each level and access, in whole blocks where of one size.

        A block whose size depends on a range counts as nothing.
        """
        accelerator, found = self.problem.accelerator, [nest.macs]
        for index, level in enumerate(accelerator.levels):
            used = clusters(nest, accelerator, index)
            known = level.block.names <= self.corners[-1].keys()
            blocks = {float(level.block(corner)) for corner in self.corners} if known else set()
            if len(blocks) != 1:
                found += [level_words(nest, index, (kind,)) * used for kind in ACCESSES]
                continue
            (block,) = blocks
            for kind in ACCESSES:
                kept = [getattr(each, kind) for each in nest.accesses[index].values()]
                rounded = [(words / block).ceil() * block for words in kept]
                found.append(reduce(torch.add, rounded, nest.macs.new_zeros(())) * used)
        return found

    def _cycles(self, nest: Nest) -> Tensor:
        """Return the latency with the widest ports of the range, in whole cycles."""
        accelerator, cycles = self.problem.accelerator, nest.steps
        widest = torch.stack([self._widths(corner) for corner in self.corners]).amax(0)
        column = 1
        for index, level in enumerate(accelerator.levels):
            for port in level.bandwidth:
                busy = level_words(nest, index, PORTS[port]) / widest[column]
                cycles = torch.maximum(cycles, (busy * (1 - ROUNDING)).ceil())
                column += 1
        return cycles

    def _widths(self, corner: Mapping[str, float]) -> Tensor:
        sizes = {name: corner.get(name, 1.0) for name in self.problem.accelerator.parameters}
        return port_widths(self.problem.accelerator, sizes)

    def _sizes(self, needs: Sequence[Floats]) -> tuple[Floats, Floats, Floats]:
        """Return ``needed [row, step]``, ``rates [row, group]`` and ``largest`` for ``[row]``.

        In whole units on a single mesh. In a range a size that grows with the mesh has its least
        share of an instance where nothing is rounded up.
        """
        accelerator, space = self.problem.accelerator, self.problem.hardware
        tensors = [torch.from_numpy(need) for need in needs]
        names = [step.name for step in space.plan.steps]
        every_need, every_rate = [], []
        for corner in self.corners:
            exact = len(self.corners) == 1
            least = least_hardware(accelerator, tensors, corner, exact)
            sizes = [least.needed[name].expand(len(needs[0])).numpy() for name in names]
            every_need.append(np.stack(sizes, -1) if sizes else np.empty((len(needs[0]), 0)))
            told = {n: s for n, s in zip(names, sizes, strict=True) if n not in corner}
            every_rate.append(self.price({**corner, **told}, len(needs[0])))
        largest = np.maximum.reduce(every_need).max(0)
        return np.minimum.reduce(every_need), np.minimum.reduce(every_rate), largest

    def price(self, sizes: Mapping[str, float | Floats], rows: int = 1) -> Floats:
        """Return pJ per word of each group on hardware ``[row]``, ``[row, group]``."""
        accelerator = self.problem.accelerator
        values: dict[str, Value] = {
            name: torch.from_numpy(size) if isinstance(size, np.ndarray) else float(size)
            for name, size in sizes.items()
        }
        found = []
        for column, *_ in self.rates.groups:
            level, kind = divmod(column - 1, len(ACCESSES))
            rate = accelerator.access_pj(accelerator.levels[level], values)[ACCESSES[kind]]
            found.append(torch.as_tensor(rate, dtype=torch.float64).expand(rows).numpy())
        return np.stack(found, -1) if found else np.empty((rows, 0))


def layer_rows(every: Sequence[Meshes], layer: int) -> list[Rows]:
    """Return the rows of one layer for ranges of meshes whose widest is the same."""
    table = every[0].tables[layer]
    accelerator, orders = table.space.accelerator, len(table.orders)
    found: list[list[Figures]] = [[] for _ in every]
    for first in range(0, count_tiles(table), TILES):
        factors = tiles(table, first, TILES)
        bounds = table.bounds.expand(len(factors), 1, -1)
        nests = table.space.mapping(factors.unsqueeze(1), bounds, table.orders)
        nest = analyse(nests, table.strides, accelerator)
        for meshes, parts in zip(every, found, strict=True):
            parts.append(meshes.figures(nest, accelerator, first, (len(factors), orders)))
    return [meshes.rows(layer, parts) for meshes, parts in zip(every, found, strict=True)]


def undominated(figures: Floats) -> NDArray[np.bool_]:
    """Return which orders ``[tile, order]`` no other of their tile undercuts in all of ``figures``.

    ``[tile, order, figure]``. Of equal ones the first is kept.
    """
    kept = np.ones(figures.shape[:2], dtype=bool)
    for one, other in product(range(figures.shape[1]), repeat=2):
        if one != other:
            no_better = (figures[:, other] <= figures[:, one]).all(-1)
            if other > one:
                no_better &= (figures[:, other] < figures[:, one]).any(-1)
            kept[:, one] &= ~no_better
    return kept


def count_tiles(table: LayerTable) -> int:
    """Return how many choices of factors a layer has."""
    return int(np.prod([len(choices) for choices in table.choices], dtype=np.int64))


def tiles(table: LayerTable, first: int, most: int) -> Tensor:
    """Return a layer's choices of factors ``[tile, slot]`` from the ``first`` one on."""
    place = torch.arange(first, min(first + most, count_tiles(table)))
    factors = torch.ones(len(place), len(table.space.slots), dtype=torch.float64)
    for choices, slots in zip(reversed(table.choices), reversed(table.space.slots_of), strict=True):
        if slots:
            factors[:, list(slots)] = choices[place % len(choices)]
        place = place // len(choices)
    return factors


def mapping(table: LayerTable, place: int) -> LoopNest:
    """Return the mapping ``[level, dim]`` at a place of its layer's list."""
    tile, order = divmod(place, len(table.orders))
    return table.nests(tiles(table, tile, 1), torch.tensor([order]))[0]
