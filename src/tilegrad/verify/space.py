"""All mappings of a layer, enumerated for a mesh: what a bound has to hold for.

Every choice of factors of the mapspace, in every candidate order. Of mappings with the same tiles
the one that spreads most loops over the meshes stands for the others: it takes fewer steps, moves
and keeps no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.mapping.orders import candidate_orders
from tilegrad.mapping.space import TEMPORAL, MapSpace
from tilegrad.verify.counts import Nests
from tilegrad.verify.walk import Numbers
from tilegrad.workload import Problem


@dataclass(frozen=True)
class LayerSpace:
    """The mappings of one layer on meshes as wide as ``sizes`` say.

    ``slow``: all of them, also those that others with the same tiles are faster than.
    """

    accelerator: Accelerator
    problem: Problem
    sizes: Mapping[str, float]
    slow: bool = False

    @property
    def machine(self) -> Accelerator:
        """The accelerator with its levels' dims in those of the layer's shape."""
        return self.accelerator.running(self.problem.shape)

    @property
    def orders(self) -> Sequence[Sequence[Sequence[int]]]:
        """The candidate orders."""
        used = frozenset(dim for dim, bound in enumerate(self.problem.bounds) if bound > 1)
        return candidate_orders(self.machine, used)

    @property
    def count(self) -> int:
        """How many mappings there are, in all orders."""
        dims = range(len(self.problem.bounds))
        return prod(len(self._choices(self.machine, dim)) for dim in dims) * len(self.orders)

    def nests(self) -> Iterator[Nests]:
        """Yield all mappings, those of one order together."""
        machine = self.machine
        temporal, spatial = self._factors(machine)
        reaches: dict[tuple[int, int, bool], Numbers] = {}
        for order in self.orders:
            yield Nests(machine, self.problem, temporal, spatial, order, reaches)

    def _factors(
        self, machine: Accelerator
    ) -> tuple[list[list[Numbers]], list[list[list[Numbers]]]]:
        slots = MapSpace(machine).slots
        levels, bounds = range(len(machine.levels)), self.problem.bounds
        each = [self._choices(machine, dim) for dim in range(len(bounds))]
        rows = np.indices([len(e) for e in each]).reshape(len(each), -1)
        one = np.ones(prod(map(len, each)))
        temporal = [[one for _ in bounds] for _ in levels]
        spatial = [[[one for _ in bounds] for _ in AXES] for _ in levels]
        for dim, bound in enumerate(bounds):
            table, left = np.array(each[dim], dtype=np.float64), bound * one
            own = [slot for slot in slots if slot.dim == dim]
            for column, slot in enumerate(own):
                factor = table[rows[dim], column]
                left = left / factor
                if slot.axis == TEMPORAL:
                    temporal[slot.level][dim] = factor
                else:
                    spatial[slot.level][slot.axis][dim] = factor
            temporal[-1][dim] = left
        return temporal, spatial

    def _choices(self, machine: Accelerator, dim: int) -> list[tuple[int, ...]]:
        """Return factors of a dim's places: the widest for each set of tiles.

        All where ``slow``, or where another dim takes its part of a mesh.
        """
        every = self.slow or self._shares(machine)
        slots = [slot for slot in MapSpace(machine).slots if slot.dim == dim]
        loops = sorted(slot.level for slot in slots if slot.axis == TEMPORAL)
        ends = [*loops[1:], len(machine.levels)]
        best: dict[tuple[int, ...], tuple[int, tuple[int, ...]]] = {}
        for factors in self._splits(self.problem.bounds[dim], len(slots)):
            pairs = list(zip(factors, slots, strict=True))
            spread = [(f, slot) for f, slot in pairs if slot.axis != TEMPORAL]
            if any(f > self._width(machine, s.level, s.axis) for f, s in spread):
                continue
            tiles = (
                factors
                if every
                else tuple(prod(f for f, slot in pairs if slot.level < end) for end in ends)
            )
            wide = prod(f for f, _ in spread)
            if tiles not in best or wide > best[tiles][0]:
                best[tiles] = wide, factors
        return [factors for _, factors in best.values()]

    def _shares(self, machine: Accelerator) -> bool:
        """Return whether several of the layer's dims may lie along one mesh."""
        spread = [
            {dim for dim in fanout.dims if self.problem.bounds[dim] > 1}
            for level in machine.levels
            for fanout in level.fanout.values()
        ]
        return max(map(len, spread), default=0) > 1

    def _width(self, machine: Accelerator, level: int, axis: int) -> float:
        return float(machine.levels[level].fanout[AXES[axis]].width(self.sizes))

    def _splits(self, bound: int, places: int) -> Iterator[tuple[int, ...]]:
        if places == 0:
            yield ()
            return
        for first in range(1, bound + 1):
            if bound % first == 0:
                for rest in self._splits(bound // first, places - 1):
                    yield (first, *rest)
