"""The smallest hardware that holds the mappings, and whether a given one does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator, Level
from tilegrad.accelerator.expression import Value
from tilegrad.accelerator.settling import settled
from tilegrad.nest import Nest

ARITHMETIC = "arithmetic"
"""The name of a cost's part that no level has."""

Hardware = dict[str, Tensor]
"""Hardware parameters by name, each ``[...]`` (one value per design)."""


def words_kept(nest: Nest, level: int) -> Tensor:
    """Return the words that one instance of a level holds, ``[..., layer]``."""
    tiles = [accesses.tile for accesses in nest.accesses[level].values()]
    if not tiles:
        return torch.zeros_like(nest.macs)
    return torch.stack(torch.broadcast_tensors(*tiles)).sum(0)


def fanout_need(accelerator: Accelerator, nest: Nest, parameter: str) -> Tensor:
    """Return the largest spatial extent along the mesh axes that ``parameter`` sizes."""
    needs = [
        nest.spatial[index][AXES.index(axis)]
        for index, level in enumerate(accelerator.levels)
        for axis, fanout in level.fanout.items()
        if fanout.width.parameter == parameter
    ]
    return torch.stack(torch.broadcast_tensors(*needs)).amax(0)


def capacity_need(
    accelerator: Accelerator, nest: Nest, level: Level, hardware: Mapping[str, Value]
) -> Tensor:
    """Return the KB over all instances of a level that each layer needs, ``[..., layer]``."""
    words = words_kept(nest, accelerator.levels.index(level))
    return words * level.instances(hardware) * (level.bytes_per_word / 1024)


def fixed_excess(nest: Nest, accelerator: Accelerator) -> Tensor:
    """Return the log of how far mappings exceed the limits that no parameter changes, summed."""
    excess = torch.zeros_like(nest.macs)
    for limit in accelerator.fixed_limits:
        if limit.axis is None:
            need = words_kept(nest, limit.level)
        else:
            need = nest.spatial[limit.level][limit.axis]
        excess = excess + (need / limit.most).log().clamp(min=0)
    return excess


def infer_hardware(
    accelerator: Accelerator, nest: Nest, fixed: Mapping[str, float], exact: bool = True
) -> Hardware:
    """Return the smallest hardware that fits every layer's mapping.

    ``nest`` is ``[..., layer]``; each parameter comes back as ``[...]``: the maximum over layers,
    at least its minimum, rounded up to whole units if ``exact``. ``fixed`` values are kept, whether
    they hold the mappings or not. Raises ``ConfigError`` where mappings do not tell a free size.
    """
    accelerator = settled(accelerator, fixed)

    def smallest(name: str, need: Tensor) -> Tensor:
        largest = need.amax(-1).clamp(min=accelerator.parameters[name].minimum)
        return largest.ceil() if exact else largest

    hardware = {name: torch.tensor(float(value)) for name, value in fixed.items()}
    for name in sorted(accelerator.fanout_parameters - set(fixed)):
        hardware[name] = smallest(name, fanout_need(accelerator, nest, name))
    meshes = {name: value.unsqueeze(-1) for name, value in hardware.items()}
    for name, level in accelerator.capacity_parameters.items():
        if name not in fixed:
            hardware[name] = smallest(name, capacity_need(accelerator, nest, level, meshes))
    return hardware


def mac_units(accelerator: Accelerator, hardware: Mapping[str, Any]) -> Value:
    """Return how many MAC units there are, each one multiply-accumulate per cycle."""
    innermost = accelerator.levels[0]
    units: Value = innermost.instances(hardware)
    for fanout in innermost.fanout.values():
        units = units * fanout.width(hardware)
    return units


def area_by_part_mm2(accelerator: Accelerator, hardware: Mapping[str, Any]) -> dict[str, Value]:
    """Return the area of all MAC units, ``arithmetic``, and of all instances of each level."""
    parts = {ARITHMETIC: mac_units(accelerator, hardware) * accelerator.arithmetic.area_mm2}
    for level in accelerator.levels:
        if (area := accelerator.area_mm2(level, hardware)) is not None:
            parts[level.name] = area * level.instances(hardware)
    return parts


def area_mm2(accelerator: Accelerator, hardware: Mapping[str, Any]) -> Value:
    """Return the area of all instances of all levels and of the MAC units."""
    first, *others = area_by_part_mm2(accelerator, hardware).values()
    for part in others:
        first = first + part
    return first
