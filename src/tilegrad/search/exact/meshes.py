"""What every mapping of every layer asks of hardware: rows of figures, for a range of meshes.

The mappings are those of the search's own mapspace (``LayerTable``): every choice of factors, of
those that leave instances idle for nothing only the widest, in every candidate order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import inf

import numpy as np
import torch
from torch import Tensor

from tilegrad.accelerator import ACCESSES, AXES
from tilegrad.accelerator.expression import Value
from tilegrad.cost.footprint import port_widths
from tilegrad.cost.hardware import least_hardware
from tilegrad.mapping import LoopNest
from tilegrad.search.exact.dominance import undominated
from tilegrad.search.exact.enumeration import CONSTANT, CYCLES, WORDS, enumerate_rows
from tilegrad.search.exact.rates import Rates
from tilegrad.search.exact.rows import Floats, Places, Rows
from tilegrad.search.exact.tabulated import layout, ranges, space
from tilegrad.search.problem import SearchProblem
from tilegrad.search.tables import LayerTable
from tilegrad.workload import Problem

TILES = 5_000
"""Choices of factors that are analysed together."""


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
        return [
            LayerTable(spaces[each.shape], each, [widths], self.slow or self._shares(each))
            for each in layers
        ]

    def _shares(self, layer: Problem) -> bool:
        """Return whether several of a layer's dims may be spread along one mesh.

        The widest choice of each by itself may then be too wide for it together.
        """
        levels = self.problem.accelerator.running(layer.shape).levels
        meshes = [fanout.dims for level in levels for fanout in level.fanout.values()]
        return any(sum(layer.bounds[dim] > 1 for dim in dims) > 1 for dims in meshes)

    @property
    def slow(self) -> bool:
        """Whether slower mappings with the same tiles are looked at: they may keep to a power."""
        return len(self.corners) == 1 and self.problem.caps.pj_per_cycle < inf

    def rows(self, layer: int, figures: Floats, place: Places) -> Rows:
        """Return the rows of one layer by the ``figures`` of its mappings (``enumerate_rows``)."""
        times = self.problem.workload.layers[layer].count
        accelerator, groups = self.problem.accelerator, len(self.rates.groups)
        first = figures.shape[1] - len(accelerator.columns)
        needed, least, largest = self._sizes(np.ascontiguousarray(figures[:, first:].T))
        words = figures[:, WORDS : WORDS + groups] * times
        constant, cycles = figures[:, CONSTANT] * times, figures[:, CYCLES] * times
        parts = [constant, words, least, cycles, needed]
        kept = undominated(self._compared(parts))
        rest = [part[kept] for part in parts]
        return Rows.of(rest, place[kept], np.zeros(1, dtype=np.int64), largest)

    def _compared(self, parts: Sequence[Floats]) -> Floats:
        """Return all that tells how good rows are anywhere in the range, the less the better.

        How wide a mesh a mapping needs is none of it, only whether it fills one: in a range no
        mapping is too wide, and one that fills it may have to be there.
        """
        constant, words, rates, cycles, needed = parts
        columns = [constant[:, None], cycles[:, None], words, rates]
        if self.slow:
            # A slower mapping may be the one that keeps to the cap.
            columns.append((constant - self.problem.caps.pj_per_cycle * cycles)[:, None])
        least, fixed = self.corners[0], self.problem.hardware.fixed
        for step, name in enumerate(each.name for each in self.problem.hardware.plan.steps):
            mesh = name in self.problem.hardware.plan.meshes and name not in fixed
            need = needed[:, step, None]
            columns.append((need < least[name]).astype(np.float64) if mesh else need)
        return np.concatenate(columns, 1)

    @cached_property
    def blocks(self) -> Floats:
        """Words of one access of each level ``[level]``; 0 where that depends on the range."""
        found = []
        for level in self.problem.accelerator.levels:
            known = level.block.names <= self.corners[-1].keys()
            blocks = {float(level.block(corner)) for corner in self.corners} if known else set()
            found.append(blocks.pop() if len(blocks) == 1 else 0.0)
        return np.array(found)

    @cached_property
    def widest_ports(self) -> Floats:
        """Words per cycle of each port, the widest of the range ``[port]``."""
        widths = torch.stack([self._widths(corner) for corner in self.corners]).amax(0)
        return widths[1:].numpy()

    def _widths(self, corner: Mapping[str, float]) -> Tensor:
        sizes = {name: corner.get(name, 1.0) for name in self.problem.accelerator.parameters}
        return port_widths(self.problem.accelerator, sizes)

    def _sizes(self, needs: Floats) -> tuple[Floats, Floats, Floats]:
        """Return ``needed [row, step]``, ``rates [row, group]`` and ``largest``.

        For needs ``[column, row]``. In whole units on a single mesh. In a range a size that grows
        with the mesh has its least share of an instance where nothing is rounded up.
        """
        accelerator, space = self.problem.accelerator, self.problem.hardware
        tensors = [torch.from_numpy(need) for need in needs]
        names = [step.name for step in space.plan.steps]
        every_need, every_rate = [], []
        for corner in self.corners:
            exact = len(self.corners) == 1
            least = least_hardware(accelerator, tensors, corner, exact)
            sizes = [least.needed[name].expand(needs.shape[1]).numpy() for name in names]
            every_need.append(np.stack(sizes, -1) if sizes else np.empty((needs.shape[1], 0)))
            told = {n: s for n, s in zip(names, sizes, strict=True) if n not in corner}
            every_rate.append(self.price({**corner, **told}, needs.shape[1]))
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
    tables = space(table), layout(table), table.orders.numpy()
    costs = ranges(every, table.space.accelerator)
    found: list[list[tuple[Floats, Places]]] = [[] for _ in every]
    last = count_tiles(table)
    for first in range(0, last, TILES):
        figures, places, sizes = enumerate_rows(first, min(first + TILES, last), *tables, costs)
        for at, size in enumerate(sizes):
            found[at].append((figures[at, :size].copy(), places[at, :size].copy()))
    joined = [[*map(np.concatenate, zip(*parts, strict=True))] for parts in found]
    return [
        meshes.rows(layer, figures, place)
        for meshes, (figures, place) in zip(every, joined, strict=True)
    ]


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
