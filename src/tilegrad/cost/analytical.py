"""Latency and energy of layers from the loop nest: a roofline over levels, energy per access."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from tilegrad.accelerator import ACCESSES, Accelerator
from tilegrad.accelerator.expression import Value
from tilegrad.nest import Nest


@dataclass(frozen=True)
class LayerCost:
    """Cost of each mapping: ``cycles [...]``, ``energy_pj [...]`` and their parts.

    ``cycles_by_part [..., 1 + level]`` and ``energy_by_part_pj`` hold the arithmetic first, then
    the levels from the innermost; cycles are the largest part, energy is their sum.
    """

    cycles_by_part: Float64[Tensor, "*#batch part"]
    energy_by_part_pj: Float64[Tensor, "*#batch part"]

    @property
    def cycles(self) -> Float64[Tensor, "*batch"]:
        """Latency in cycles."""
        return self.cycles_by_part.amax(-1)

    @property
    def energy_pj(self) -> Float64[Tensor, "*batch"]:
        """Energy in pJ, summed one part after another (independent of the batch)."""
        return _sum(self.energy_by_part_pj.unbind(-1), self.energy_by_part_pj)


def layer_cost(nest: Nest, accelerator: Accelerator, hardware: Mapping[str, Value]) -> LayerCost:
    """Return the cost of every mapping of ``nest`` on ``hardware`` (values broadcast).

    Rounded up to whole cycles and whole blocks, as Timeloop does.
    """
    energy = [nest.macs * accelerator.arithmetic.energy_pj]
    cycles = [nest.steps]
    for index in range(len(accelerator.levels)):
        energy.append(_level_energy(nest, accelerator, hardware, index))
        cycles.append(_level_cycles(nest, accelerator, hardware, index))
    return LayerCost(_stack(cycles), _stack(energy))


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
    nest: Nest, accelerator: Accelerator, hardware: Mapping[str, Value], index: int
) -> Tensor:
    """Cycles of one level: the arithmetic's steps, stretched where a port is too narrow.

    Follows Timeloop's own sequence of roundings: words per cycle of each tensor, read and written,
    summed apart.
    """
    cycles, kept = nest.steps, nest.accesses[index].values()
    read = _sum([accesses.reads / nest.steps for accesses in kept], nest.steps)
    written = _sum([(each.fills + each.updates) / nest.steps for each in kept], nest.steps)
    demands = {"read": read, "write": written, "shared": read + written}
    for port, width in accelerator.levels[index].bandwidth.items():
        busy = (nest.steps / (width(hardware) / demands[port]).clamp(max=1)).ceil()
        cycles = torch.maximum(cycles, busy)
    return cycles


def _level_energy(
    nest: Nest, accelerator: Accelerator, hardware: Mapping[str, Value], index: int
) -> Tensor:
    level = accelerator.levels[index]
    block = level.block(hardware)
    energy = nest.macs.new_zeros(())
    for kind, pj in accelerator.access_pj(level, hardware).items():
        for kept in nest.accesses[index].values():
            words = getattr(kept, kind)
            energy = energy + pj * ((words / block).ceil() * block)
    return energy * clusters(nest, accelerator, index)


def _sum(terms: Sequence[Tensor], like: Tensor) -> Tensor:
    return sum(terms, like.new_zeros(()))


def _stack(parts: list[Tensor]) -> Tensor:
    return torch.stack(torch.broadcast_tensors(*parts), -1)
