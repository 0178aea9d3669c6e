"""Latency and energy of layers from the loop nest: a roofline over levels, energy per access."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import torch
from jaxtyping import Float64
from torch import Tensor

from tilegrad.accelerator import ACCESSES, Accelerator
from tilegrad.accelerator.expression import Value
from tilegrad.cost.operations import Operations, operations
from tilegrad.nest import Nest


@dataclass(frozen=True)
class LayerCost:
    """Cost of each mapping: ``cycles [...]``, ``energy_pj [...]`` and their parts.

    Parts are of the arithmetic first, then of the levels from the innermost, each ``[...]``; cycles
    are the largest part, energy is their sum.
    """

    parts_cycles: tuple[Float64[Tensor, "*#batch"], ...]
    parts_energy_pj: tuple[Float64[Tensor, "*#batch"], ...]

    @cached_property
    def cycles_by_part(self) -> Float64[Tensor, "*batch part"]:
        """Latency of each part in cycles, ``[..., 1 + level]``."""
        return _stack(self.parts_cycles)

    @cached_property
    def energy_by_part_pj(self) -> Float64[Tensor, "*batch part"]:
        """Energy of each part in pJ, ``[..., 1 + level]``."""
        return _stack(self.parts_energy_pj)

    @property
    def cycles(self) -> Float64[Tensor, "*batch"]:
        """Latency in cycles."""
        return reduce(torch.maximum, self.parts_cycles)

    @property
    def energy_pj(self) -> Float64[Tensor, "*batch"]:
        """Energy in pJ, summed one part after another (independent of the batch)."""
        return _sum(self.parts_energy_pj, self.parts_energy_pj[0])

    def expand(self, *batch: int) -> LayerCost:
        """Return the cost with dimensions broadcast to ``batch``."""
        return LayerCost(
            tuple(part.expand(batch) for part in self.parts_cycles),
            tuple(part.expand(batch) for part in self.parts_energy_pj),
        )


def layer_cost(nest: Nest, accelerator: Accelerator, hardware: Mapping[str, Value]) -> LayerCost:
    """Return the cost of every mapping of ``nest`` on ``hardware`` (values broadcast).

    Rounded up to whole cycles and whole blocks, as Timeloop does.
    """
    energy = [nest.macs * accelerator.arithmetic.energy_pj]
    cycles = [nest.steps]
    how = operations(nest, hardware)
    for index in range(len(accelerator.levels)):
        energy.append(_level_energy(nest, accelerator, hardware, index, how))
        cycles.append(_level_cycles(nest, accelerator, hardware, index, how))
    return LayerCost(tuple(cycles), tuple(energy))


def level_words(
    nest: Nest, index: int, kinds: tuple[str, ...] = ACCESSES
) -> Float64[Tensor, "*batch"]:
    """Return the words that one instance of a level moves, of the given kinds of access."""
    kept = nest.accesses[index].values()
    return _sum([getattr(each, kind) for each in kept for kind in kinds], nest.macs)


def clusters(nest: Nest, accelerator: Accelerator, index: int) -> Float64[Tensor, "*batch"]:
    """Return how many clusters of a level are accessed: its instances, where none share."""
    level = accelerator.levels[index]
    used = nest.instances[index]
    return used if level.cluster == 1 else used.clamp(max=level.instances({}) / level.cluster)


def _level_cycles(
    nest: Nest,
    accelerator: Accelerator,
    hardware: Mapping[str, Value],
    index: int,
    how: Operations,
) -> Tensor:
    """Cycles of one level: the arithmetic's steps, stretched where a port is too narrow.

    Follows Timeloop's own sequence of roundings: words per cycle of each tensor, read and written,
    summed apart.
    """
    cycles, kept = nest.steps, nest.accesses[index].values()
    widths = accelerator.levels[index].bandwidth
    if not widths:
        return cycles
    read, written = how.nothing(nest.steps), how.nothing(nest.steps)
    for each in kept:
        read = how.rates(read, each.reads, nest.steps)
        written = how.rates(written, how.sums(each.fills, each.updates), nest.steps)
    demands = {"read": read, "write": written, "shared": read + written}
    for port, width in widths.items():
        cycles = how.stretched(cycles, nest.steps, demands[port], width(hardware))
    return cycles


def _level_energy(
    nest: Nest,
    accelerator: Accelerator,
    hardware: Mapping[str, Value],
    index: int,
    how: Operations,
) -> Tensor:
    level = accelerator.levels[index]
    block = level.block(hardware)
    energy = how.nothing(nest.macs)
    for kind, pj in accelerator.access_pj(level, hardware).items():
        for kept in nest.accesses[index].values():
            energy = how.blocks(energy, getattr(kept, kind), block, pj)
    return energy * clusters(nest, accelerator, index)


def _sum(terms: Sequence[Tensor], like: Tensor) -> Tensor:
    return sum(terms, like.new_zeros(()))


def _stack(parts: Sequence[Tensor]) -> Tensor:
    return torch.stack(torch.broadcast_tensors(*parts), -1)
