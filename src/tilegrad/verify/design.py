"""A result's figures, computed anew from its mappings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from tilegrad.accelerator import Accelerator
from tilegrad.errors import DataError
from tilegrad.mapping import LoopNest, parse_shorthand
from tilegrad.record import LayerResult, Result
from tilegrad.verify.costs import Counts, area
from tilegrad.verify.counts import Nests

CLOSE = 1e-9
"""Relative rounding of energies."""

UJ = 1e-6


@dataclass(frozen=True)
class Recomputed:
    """Area [mm2] of a design; energy [pJ] and cycles of all executions, and counts, by layer."""

    area: float
    energies: tuple[float, ...]
    cycles: tuple[float, ...]
    counts: tuple[Counts, ...]

    def of(self, layers: range) -> tuple[float, float]:
        """Return energy and cycles of some layers."""
        first, last = layers.start, layers.stop
        return sum(self.energies[first:last]), sum(self.cycles[first:last])


def recompute(result: Result, accelerator: Accelerator) -> Recomputed:
    """Return what a result's design costs; ``DataError`` names the first field that is wrong."""
    sizes = {name: float(value) for name, value in result.hardware.items()}
    if set(sizes) != set(accelerator.parameters):
        raise DataError(f"hardware has {', '.join(sizes)}, the accelerator another set")
    energies, slow, counted = [], [], []
    for index, layer in enumerate(result.layers):
        counts = _layer(layer, index, accelerator, sizes)
        counted.append(counts)
        energies.append(layer.count * sum(float(part[0]) for part in counts.energies(sizes)))
        slow.append(layer.count * max(float(part[0]) for part in counts.cycles(sizes)))
    there = area(accelerator, sizes)
    design = Recomputed(there, tuple(energies), tuple(slow), tuple(counted))
    energy, cycles = design.of(range(len(result.layers)))
    for name, found, value in (
        ("energy_uj", result.energy_uj, energy * UJ),
        ("cycles", result.cycles, cycles),
        ("edp", result.edp, energy * UJ * cycles),
        ("area_mm2", result.area_mm2, there),
    ):
        agree(name, float(found), value)
    for place, layers in enumerate(networks_of(result) if result.networks else ()):
        energy, cycles = design.of(layers)
        told, where = result.networks[place], f"networks[{place}]"
        agree(f"{where}.energy_uj", float(told.energy_uj), energy * UJ)
        agree(f"{where}.cycles", float(told.cycles), cycles)
        agree(f"{where}.edp", float(told.edp), energy * UJ * cycles)
    return design


def networks_of(result: Result) -> list[range]:
    """Return the layers of each network: all of them where there is one."""
    if not result.networks:
        return [range(len(result.layers))]
    ends = [0, *accumulate(int(network.layers) for network in result.networks)]
    return [range(*pair) for pair in pairwise(ends)]


def nests_of(nest: LoopNest, layer: LayerResult, accelerator: Accelerator) -> Nests:
    """Return a mapping ``[level, dim]`` as loops of one row."""
    temporal = [[np.array([float(f)]) for f in level] for level in nest.temporal.tolist()]
    spatial = [
        [[np.array([float(f)]) for f in axis] for axis in level] for level in nest.spatial.tolist()
    ]
    machine = accelerator.running(layer.problem.shape)
    return Nests(machine, layer.problem, temporal, spatial, nest.order.tolist())


def _layer(
    layer: LayerResult, index: int, accelerator: Accelerator, sizes: dict[str, float]
) -> Counts:
    where, problem = f"layers[{index}]", layer.problem
    machine = accelerator.running(problem.shape)
    nest = parse_shorthand(layer.mapping, machine)
    product = (nest.temporal.prod(0) * nest.spatial.prod(0).prod(0)).tolist()
    for dim, bound in enumerate(problem.bounds):
        if product[dim] < bound:
            raise DataError(
                f"{where}.mapping covers {product[dim]:g} of {problem.shape.dims[dim]} = {bound}"
            )
    counts = Counts.of(nests_of(nest, layer, accelerator))
    if padded := math.prod(product) != math.prod(problem.bounds):
        counts = Counts(**{**vars(counts), "macs": float(math.prod(product))})
    if over := counts.overflows(sizes):
        raise DataError(f"{where}: {over[0]}")
    parts = ["arithmetic", *(level.name for level in accelerator.levels)]
    energies = dict(zip(parts, (float(p[0]) * UJ for p in counts.energies(sizes)), strict=True))
    cycles = dict(zip(parts, (float(p[0]) for p in counts.cycles(sizes)), strict=True))
    for name, found, value in _pairs(layer, energies, cycles):
        agree(f"{where}.{name}", found, value)
    if layer.pe_utilisation is not None and not padded:
        units = float(math.prod(_widths(accelerator, sizes)))
        used = counts.macs / (units * max(cycles.values()))
        agree(f"{where}.pe_utilisation", float(layer.pe_utilisation), used)
    if cycles.get(layer.bottleneck) != max(cycles.values()):
        raise DataError(f"{where}.bottleneck is {layer.bottleneck}, which is not the slowest part")
    return counts


def _widths(accelerator: Accelerator, sizes: dict[str, float]) -> Iterator[float]:
    for level in accelerator.levels:
        for fanout in level.fanout.values():
            yield float(fanout.width(sizes))


def _pairs(
    layer: LayerResult, energies: dict[str, float], cycles: dict[str, float]
) -> Iterator[tuple[str, float, float]]:
    yield "energy_uj", float(layer.energy_uj), sum(energies.values())
    yield "cycles", float(layer.cycles), max(cycles.values())
    for part in energies:
        yield f"energy_by_part_uj.{part}", _of(layer.energy_by_part_uj, part), energies[part]
        yield f"cycles_by_part.{part}", _of(layer.cycles_by_part, part), cycles[part]


def _of(parts: dict[str, float], name: str) -> float:
    return float(parts.get(name, math.nan))


def agree(name: str, found: float, value: float) -> None:
    """Refuse a figure that is not what the mappings make it."""
    if not abs(found - value) <= CLOSE * abs(value):
        raise DataError(f"{name} is {found!r}; the mappings make {value!r}")
