"""What all mappings of a layer cost at least on a box of hardware."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from tilegrad.accelerator import ACCESSES, Accelerator
from tilegrad.errors import DataError
from tilegrad.verify.costs import Counts
from tilegrad.verify.space import LayerSpace
from tilegrad.verify.walk import Numbers
from tilegrad.workload import Problem

CLOSE = 1e-12

Ends = Mapping[str, tuple[float, float]]

Priced = tuple[Numbers, Numbers, NDArray[np.bool_], NDArray[np.bool_]]
"""Cycles and energy of mappings ``[row]``, whether they fit, whether they fill a mesh."""


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

    @cached_property
    def counts(self) -> list[Counts]:
        """By order."""
        space = LayerSpace(self.machine.accelerator, self.problem, self.corners[-1], self.slow)
        return [Counts.of(nests) for nests in space.nests()]

    @cached_property
    def least_cycles(self) -> list[Numbers]:
        """The latency at the widest ports, by order."""
        return [self._cycles(each) for each in self.counts]

    def _cycles(self, counts: Counts) -> Numbers:
        found = counts.steps
        for level, kept in zip(counts.accelerator.levels, counts.accesses, strict=True):
            parts = {"read": (0,), "write": (1, 2), "shared": (0, 1, 2)}
            for port, width in level.bandwidth.items():
                words = sum(each[kind] for each in kept for kind in parts[port])
                wide = max(float(width(corner)) for corner in self.corners)
                found = np.maximum(found, np.ceil(words / wide * (1 - CLOSE)))
        return found

    def least(self, ends: Ends, price: float | None, filling: bool = False) -> float | None:
        """Return the least energy + ``price`` * cycles [pJ] (None: the least cycles) in a box.

        Of one execution. ``filling``: of mappings as wide as a mesh alone. None where none fits.
        """
        best: float | None = None
        for cycles, energy, fitting, full in self._priced(ends):
            chosen = fitting & full if filling else fitting
            if chosen.any():
                figure = cycles if price is None else energy + price * cycles
                found = float(figure[chosen].min())
                best = found if best is None else min(best, found)
        return best

    def costs(self, ends: Ends, filling: bool) -> Numbers:
        """Return energy and cycles of all executions of the mappings that fit, ``[row, 2]``."""
        found = []
        for cycles, energy, fitting, full in self._priced(ends):
            chosen = fitting & full if filling else fitting
            found.append(np.stack([energy[chosen], cycles[chosen]], 1))
        return np.concatenate(found) * self.problem.count

    def _priced(self, ends: Ends) -> list[Priced]:
        key = tuple(sorted(ends.items()))
        if key not in self._last:
            self._last.clear()
            each = zip(self.counts, self.least_cycles, strict=True)
            self._last[key] = [self._price(counts, cycles, ends) for counts, cycles in each]
        return self._last[key]

    @cached_property
    def _last(self) -> dict[object, list[Priced]]:
        return {}

    def _price(self, counts: Counts, cycles: Numbers, ends: Ends) -> Priced:
        whole = len(self.corners) == 1
        fitting = np.zeros_like(counts.steps, dtype=bool)
        energy = np.full_like(counts.steps, np.inf)
        for corner in self.corners:
            needs = self.machine.needs(counts, corner, whole)
            fits = np.ones_like(fitting)
            sizes: dict[str, object] = dict(corner)
            for name, need in needs.items():
                fits &= need <= ends[name][1]
                if name not in self.machine.fixed:
                    sizes[name] = np.maximum(need, ends[name][0])
            for index, level in enumerate(self.machine.accelerator.levels):
                if level.capacity_words is not None:
                    fits &= counts.words[index] <= level.capacity_words
            fitting |= fits
            energy = np.minimum(energy, self._energy(counts, sizes))
        full = np.zeros_like(fitting)
        for name, wide in self.machine.widths(counts).items():
            full |= wide >= ends[name][0]
        return cycles, energy, fitting, full

    def _energy(self, counts: Counts, sizes: Mapping[str, object]) -> Numbers:
        """Return the energy ``[row]``: in whole blocks where these have one size in the range."""
        accelerator = self.machine.accelerator
        values = {n: torch.as_tensor(v, dtype=torch.float64) for n, v in sizes.items()}
        energy = np.full_like(counts.steps, counts.macs * accelerator.arithmetic.energy_pj)
        for index, level in enumerate(accelerator.levels):
            rates = accelerator.access_pj(level, values)
            blocks = {float(level.block(each)) for each in self.corners}
            for place, kind in enumerate(ACCESSES):
                for kept in counts.accesses[index]:
                    words = kept[place]
                    if len(blocks) == 1:
                        (block,) = blocks
                        words = np.ceil(words / block) * block
                    rate = torch.as_tensor(rates[kind], dtype=torch.float64).numpy()
                    energy = energy + rate * words * counts.used[index]
        return energy


def corners_of(fixed: Mapping[str, float], meshes: Ends) -> list[dict[str, float]]:
    """Return fixed sizes with each end of the meshes' ranges, the widest last."""
    ranges = [list(dict.fromkeys(each)) for each in meshes.values()]
    return [{**fixed, **dict(zip(meshes, each, strict=True))} for each in product(*ranges)]
