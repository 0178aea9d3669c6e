"""Cycles, energy and sizes of counted mappings, as Timeloop rounds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tilegrad.accelerator import ACCESSES, AXES, Accelerator, Level
from tilegrad.verify.counts import Nests
from tilegrad.verify.walk import Numbers

Sizes = Mapping[str, float]


@dataclass(frozen=True)
class Counts:
    """What mappings ``[row]`` ask of any hardware.

    ``accesses[level]`` hold reads, fills and updates of one instance by kept tensor;
    ``used[level]``: how many clusters are accessed; ``words[level]``: what one instance keeps;
    ``wide[level][axis]``: over how many instances loops below are spread.
    """

    accelerator: Accelerator
    steps: Numbers
    macs: float
    accesses: list[list[tuple[Numbers, Numbers, Numbers]]]
    used: list[Numbers]
    words: list[Numbers]
    wide: list[list[Numbers]]

    @property
    def levels(self) -> Sequence[Level]:
        """The accelerator's."""
        return self.accelerator.levels

    @classmethod
    def of(cls, nests: Nests) -> Counts:
        """Count mappings."""
        accelerator, used = nests.accelerator, []
        levels = range(len(accelerator.levels))
        for index in levels:
            level, own = accelerator.levels[index], nests.instances(index)
            if level.cluster > 1:
                own = np.minimum(own, float(level.instances({})) / level.cluster)
            used.append(own)
        words = [
            sum((nests.tile(at, t) for t in accelerator.levels[at].keeps), np.zeros_like(used[0]))
            for at in levels
        ]
        wide = [[nests.wide(at, axis) for axis in range(len(AXES))] for at in levels]
        counted = [nests.accesses(at) for at in levels]
        macs = float(np.prod([float(bound) for bound in nests.problem.bounds]))
        return cls(accelerator, nests.steps(), macs, counted, used, words, wide)

    def cycles(self, sizes: Sizes) -> list[Numbers]:
        """Return the cycles of the arithmetic, then of each level."""
        found = [self.steps]
        for level, kept in zip(self.accelerator.levels, self.accesses, strict=True):
            read = sum((each[0] / self.steps for each in kept), np.zeros_like(self.steps))
            write = sum(((e[1] + e[2]) / self.steps for e in kept), np.zeros_like(self.steps))
            demand = {"read": read, "write": write, "shared": read + write}
            slowest = self.steps
            for port, width in level.bandwidth.items():
                with np.errstate(divide="ignore"):
                    share = np.minimum(float(width(sizes)) / demand[port], 1.0)
                slowest = np.maximum(slowest, np.ceil(self.steps / share))
            found.append(slowest)
        return found

    def energies(self, sizes: Sizes) -> list[Numbers]:
        """Return the energy [pJ] of the arithmetic, then of each level, in whole blocks."""
        found = [np.full_like(self.steps, self.macs * self.accelerator.arithmetic.energy_pj)]
        for index, level in enumerate(self.accelerator.levels):
            block, rates = float(level.block(sizes)), self.accelerator.access_pj(level, sizes)
            spent = np.zeros_like(self.steps)
            for place, kind in enumerate(ACCESSES):
                for kept in self.accesses[index]:
                    spent = spent + float(rates[kind]) * (np.ceil(kept[place] / block) * block)
            found.append(spent * self.used[index])
        return found

    def fits(self, sizes: Sizes) -> NDArray[np.bool_]:
        """Return which rows are not too large for anything."""
        found = np.ones(self.steps.shape, dtype=bool)
        for index, level in enumerate(self.accelerator.levels):
            found &= self.words[index] <= capacity(self.accelerator, index, sizes) * (1 + 1e-12)
            for place, axis in enumerate(AXES):
                width = float(level.fanout[axis].width(sizes)) if axis in level.fanout else 1.0
                found &= self.wide[index][place] <= width
        return found

    def overflows(self, sizes: Sizes) -> list[str]:
        """Return what some row is too large for."""
        found = []
        for index, level in enumerate(self.accelerator.levels):
            room = capacity(self.accelerator, index, sizes)
            if (self.words[index] > room * (1 + 1e-12)).any():
                most = float(self.words[index].max())
                found.append(f"{level.name} must hold {most:g} words, more than its {room:g}")
            for place, axis in enumerate(AXES):
                width = float(level.fanout[axis].width(sizes)) if axis in level.fanout else 1.0
                if (self.wide[index][place] > width).any():
                    found.append(f"{level.name} is spread wider than {width:g} along {axis}")
        return found


def capacity(accelerator: Accelerator, index: int, sizes: Sizes) -> float:
    """Return how many words one instance of a level has room for."""
    level = accelerator.levels[index]
    if level.capacity_words is not None:
        return float(level.capacity_words)
    if level.capacity_kb is None:
        return float("inf")
    instances = 1.0
    for outer in accelerator.levels[index + 1 :]:
        for fanout in outer.fanout.values():
            instances *= float(fanout.width(sizes))
    return float(level.capacity_kb(sizes)) * 1024 * 8 / level.word_bits / instances


def area(accelerator: Accelerator, sizes: Sizes) -> float:
    """Return the area [mm2] of all instances and MAC units."""
    total, instances = 0.0, 1.0
    for level in reversed(accelerator.levels):
        own = accelerator.area_mm2(level, sizes)
        total += 0.0 if own is None else float(own) * instances
        for fanout in level.fanout.values():
            instances *= float(fanout.width(sizes))
    return total + instances * accelerator.arithmetic.area_mm2
