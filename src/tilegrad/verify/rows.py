"""What all mappings of a layer cost at least on a box of hardware."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.errors import DataError
from tilegrad.verify.costs import Counts
from tilegrad.verify.space import LayerSpace
from tilegrad.verify.tabled import Table, rates, several, spent
from tilegrad.verify.walk import Numbers
from tilegrad.workload import Problem

CLOSE = 1e-12

Ends = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Machine:
    """An accelerator whose free sizes are meshes' widths and buffers' KB by themselves."""

    accelerator: Accelerator
    fixed: Mapping[str, float]

    def __post_init__(self) -> None:
        free = set(self.accelerator.parameters) - set(self.fixed)
        if computed := sorted(free - self.meshes.keys() - self.buffers.keys()):
            raise DataError(
                f"accelerator {self.accelerator.name}: {computed[0]} is part of a computed size, "
                "which is not verified"
            )
        if level := several(self.accelerator, sorted(free & self.buffers.keys())):
            raise DataError(
                f"accelerator {self.accelerator.name}: the energies of {level} depend on several "
                "free sizes, which is not verified"
            )

    @cached_property
    def meshes(self) -> dict[str, list[tuple[int, str]]]:
        """Parameters that are a mesh's width: where."""
        found: dict[str, list[tuple[int, str]]] = {}
        for index, level in enumerate(self.accelerator.levels):
            for axis, fanout in level.fanout.items():
                if fanout.width.parameter:
                    found.setdefault(fanout.width.parameter, []).append((index, axis))
        return found

    @cached_property
    def buffers(self) -> dict[str, list[int]]:
        """Parameters that are the KB of a level's instances together: of which levels."""
        found: dict[str, list[int]] = {}
        for index, level in enumerate(self.accelerator.levels):
            if level.capacity_kb is not None and level.capacity_kb.parameter:
                found.setdefault(level.capacity_kb.parameter, []).append(index)
        return found

    def needs(self, counts: Counts, sizes: Mapping[str, float], whole: bool) -> dict[str, Numbers]:
        """Return the least KB of each buffer ``[row]`` on meshes of ``sizes``."""
        found = {}
        for name, places in self.buffers.items():
            least = np.full_like(counts.steps, self.accelerator.parameters[name].minimum)
            for index in places:
                level, instances = self.accelerator.levels[index], 1.0
                for outer in self.accelerator.levels[index + 1 :]:
                    for fanout in outer.fanout.values():
                        instances *= float(fanout.width(sizes))
                kb = counts.words[index] * level.word_bits / 8 / 1024 * instances
                least = np.maximum(least, np.ceil(kb * (1 - CLOSE)) if whole else kb)
            found[name] = least
        return found

    def widths(self, counts: Counts) -> dict[str, Numbers]:
        """Return the least width of each mesh parameter, ``[row]``."""
        found = {}
        for name, places in self.meshes.items():
            least = np.full_like(counts.steps, self.accelerator.parameters[name].minimum)
            for index, axis in places:
                least = np.maximum(least, counts.wide[index]["XY".index(axis)])
            found[name] = least
        return found


@dataclass(frozen=True)
class LayerRows:
    """All mappings of a layer on the widest mesh of a range, whose ``corners`` are its ends.

    ``slow``: slower mappings with the same tiles too, which may draw less power.
    """

    machine: Machine
    problem: Problem
    corners: Sequence[Mapping[str, float]]
    slow: bool = False

    @property
    def space(self) -> LayerSpace:
        """What they are enumerated from."""
        return LayerSpace(self.machine.accelerator, self.problem, self.corners[-1], self.slow)

    @cached_property
    def count(self) -> int:
        """How many there are."""
        return self.space.count

    @cached_property
    def table(self) -> Table:
        """All of them, as arrays."""
        return Table.joined([self._tabled(Counts.of(nests)) for nests in self.space.nests()])

    def _tabled(self, counts: Counts) -> Table:
        """Return mappings of one order, without those that a size which is not free cannot hold."""
        accelerator, whole = self.machine.accelerator, len(self.corners) == 1
        fits = np.ones_like(counts.steps, dtype=bool)
        for index, level in enumerate(accelerator.levels):
            if level.capacity_words is not None:
                fits &= counts.words[index] <= level.capacity_words
            for axis, fanout in level.fanout.items():
                if not fanout.width.names:
                    fits &= counts.wide[index][AXES.index(axis)] <= float(fanout.width({}))
        blocks = [{float(level.block(each)) for each in self.corners} for level in counts.levels]
        alike = [each.pop() if len(each) == 1 else None for each in blocks]
        free = [name for name in self.machine.buffers if name not in self.machine.fixed]
        every = [
            spent(counts, self.machine.needs(counts, corner, whole), free, corner, alike).rows(fits)
            for corner in self.corners
        ]
        wide = np.stack([np.zeros_like(counts.steps), *self.machine.widths(counts).values()])
        return Table(self._cycles(counts)[fits], every, wide[1:, fits])

    def _cycles(self, counts: Counts) -> Numbers:
        """Return the latency at the widest ports."""
        found = counts.steps
        for level, kept in zip(counts.levels, counts.accesses, strict=True):
            parts = {"read": (0,), "write": (1, 2), "shared": (0, 1, 2)}
            for port, width in level.bandwidth.items():
                words = sum(each[kind] for each in kept for kind in parts[port])
                wide = max(float(width(corner)) for corner in self.corners)
                found = np.maximum(found, np.ceil(words / wide * (1 - CLOSE)))
        return found

    def needs(self, name: str) -> tuple[float, float]:
        """Return the least and the largest need of a buffer; 0 where there is no mapping."""
        place = [*self.machine.buffers].index(name)
        every = np.stack([each.needs[place] for each in self.table.spent])
        return (float(every.min()), float(every.max())) if every.size else (0.0, 0.0)

    def least(
        self, ends: Ends, prices: Sequence[float | None], filling: bool = False
    ) -> list[float] | None:
        """Return the least energy + price * cycles [pJ] in a box, by price (None: least cycles).

        Of one execution. ``filling``: of mappings as wide as a mesh alone. None where none fits.
        """
        from tilegrad.verify.pricing import least_at

        energy = self._energy(ends)
        if filling:
            energy = np.where(self._full(ends), energy, np.inf)
        every = np.array([np.inf if price is None else price for price in prices])
        found: list[float] = least_at(energy, self.table.cycles, every).tolist()
        return None if min(found, default=np.inf) == np.inf else found

    def costs(self, ends: Ends, filling: bool) -> Numbers:
        """Return energy and cycles of all executions of the mappings that fit, ``[row, 2]``."""
        energy = self._energy(ends)
        chosen = (energy < np.inf) & (self._full(ends) if filling else True)
        return np.stack([energy, self.table.cycles], 1)[chosen] * self.problem.count

    def _full(self, ends: Ends) -> NDArray[np.bool_]:
        """Return which mappings fill some mesh."""
        found = np.zeros(self.table.cycles.shape, dtype=bool)
        for name, wide in zip(self.machine.meshes, self.table.wide, strict=True):
            found |= wide >= ends[name][0]
        return found

    def _energy(self, ends: Ends) -> Numbers:
        """Return the energy [pJ] of each row on the least sizes of a box that hold it, ``[row]``.

        In whole blocks where these have one size in the range; infinite where the box holds none.
        """
        key = tuple(sorted(ends.items()))
        if self._last.get("ends") != key:
            self._last.update(ends=key, energy=self._priced(ends))
        found: Numbers = self._last["energy"]
        return found

    @cached_property
    def _last(self) -> dict[str, Any]:
        return {}

    def _priced(self, ends: Ends) -> Numbers:
        # Imports a compiler, which checking a design needs not.
        from tilegrad.verify.pricing import add_fitting, add_part

        names, accelerator = [*self.machine.buffers], self.machine.accelerator
        least = {n: ends[n][0] for n in names if n not in self.machine.fixed}
        low, high = (np.array([ends[name][end] for name in names]) for end in (0, 1))
        energy = np.full_like(self.table.cycles, np.inf)
        fits = np.zeros(len(energy), dtype=bool)
        for corner, each in zip(self.corners, self.table.spent, strict=True):
            found = each.constant.copy()
            for part in each.parts:
                level = accelerator.levels[part.level]
                rate = np.stack(rates(accelerator, level, {**corner, **least}))
                add_part(
                    found, each.needs[part.buffer], low[part.buffer], part.own, part.words, rate
                )
            np.minimum(energy, found, out=energy)
            add_fitting(fits, each.needs, high)
        energy[~fits] = np.inf
        return energy


def corners_of(fixed: Mapping[str, float], meshes: Ends) -> list[dict[str, float]]:
    """Return fixed sizes with each end of the meshes' ranges, the widest last."""
    ranges = [list(dict.fromkeys(each)) for each in meshes.values()]
    return [{**fixed, **dict(zip(meshes, each, strict=True))} for each in product(*ranges)]
