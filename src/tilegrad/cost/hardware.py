"""The least hardware that holds the mappings, and the area of hardware."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from jaxtyping import Float64
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.determined import Step
from tilegrad.accelerator.expression import Value, tensor_of, values
from tilegrad.accelerator.inversion import inverted
from tilegrad.accelerator.requirement import Column, Requirement, Tiles

ARITHMETIC = "arithmetic"
"""The name of a cost's part that no level has."""

ROUNDING = 1e-12
"""How much larger an expression's inverse may come out than it is, relative to it."""

MOST_UNITS = 64
"""Units by which rounding may go up until needs fit and meshes have whole widths."""

Hardware = dict[str, Tensor]
"""Hardware parameters by name, each ``[...]`` (one value per design)."""


@dataclass(frozen=True)
class Inferred:
    """The least ``hardware`` that mappings allow: fixed parameters as they are, then the others.

    ``needed``: what mappings ask of each parameter that they tell, the fixed ones among them.
    """

    needed: Hardware
    hardware: Hardware


def infer_hardware(
    accelerator: Accelerator, tiles: Tiles, fixed: Mapping[str, float], exact: bool = True
) -> Hardware:
    """Return the least hardware that fits every layer's mapping.

    ``tiles`` are ``[..., layer]``; each parameter comes back as ``[...]``: the largest that a
    requirement of a layer asks for, at least its minimum, in whole units if ``exact``. ``fixed``
    values are kept, whether they hold the mappings or not. Raises ``ConfigError`` where mappings do
    not tell a free size.
    """
    needs = [column.need(tiles).amax(-1) for column in accelerator.columns]
    return least_hardware(accelerator, needs, fixed, exact).hardware


def least_hardware(
    accelerator: Accelerator,
    needs: Sequence[Float64[Tensor, "*#batch"]],
    fixed: Mapping[str, float],
    exact: bool,
) -> Inferred:
    """Return the least hardware for the needs ``[...]`` of each of ``Accelerator.columns``.

    See ``infer_hardware``.
    """
    plan = accelerator.plan(fixed)
    there = needs[0].device if needs else None
    hardware = {
        name: torch.full((), float(value), dtype=torch.float64, device=there)
        for name, value in fixed.items()
    }
    needed: Hardware = {}
    for step in plan.steps:
        need = asked(accelerator, step, needs, hardware)
        needed[step.name] = whole(accelerator, step, need, needs, hardware) if exact else need
        hardware.setdefault(step.name, needed[step.name])
    return Inferred(needed, hardware)


def asked(
    accelerator: Accelerator,
    step: Step,
    needs: Sequence[Float64[Tensor, "*#batch"]],
    known: Mapping[str, Value],
) -> Float64[Tensor, "*#batch"]:
    """Return what the needs ``[...]`` of each column ask of a step's parameter, ``[...]``.

    ``known`` holds the parameters of the earlier steps. Not in whole units; at least the minimum.
    """
    solved = [
        inverted(accelerator.columns[place].have, step.name, needs[place], known)
        for place in step.columns
    ]
    return reduce(torch.maximum, solved).clamp(min=accelerator.parameters[step.name].minimum)


def whole(
    accelerator: Accelerator,
    step: Step,
    size: Float64[Tensor, "*#batch"],
    needs: Sequence[Float64[Tensor, "*#batch"]],
    known: Mapping[str, Value],
) -> Float64[Tensor, "*#batch"]:
    """Return the sizes ``[...]`` of a step's parameter in whole units that the needs fit.

    That makes meshes of whole widths too, where one of the next few sizes does.
    """
    units = (size * (1 - ROUNDING)).ceil()
    for _ in range(MOST_UNITS):
        short = units.new_zeros((), dtype=torch.bool)
        for place in step.columns:
            column = accelerator.columns[place]
            have = values(column.have, {**known, step.name: units})
            short = short | (have < needs[place])
            if column.is_mesh:
                short = short | (have != have.floor())
        if not short.any():
            break
        units = units + short
    return units


def excess(
    requirements: Sequence[Requirement | Column], tiles: Tiles, hardware: Mapping[str, Value]
) -> Float64[Tensor, "*batch"]:
    """Return the log of how far mappings exceed requirements, summed over these, ``[...]``."""
    return summed_logs(ratios(requirements, tiles, hardware))


def ratios(
    requirements: Sequence[Requirement | Column], tiles: Tiles, hardware: Mapping[str, Value]
) -> list[Float64[Tensor, "*batch"]]:
    """Return what mappings need of each requirement, relative to what there is, ``[...]``."""
    return [each.need(tiles) / values(each.have, hardware) for each in requirements]


def summed_logs(found: Iterable[Tensor]) -> Tensor:
    """Return the sum ``[...]`` of the logs of ratios ``[...]`` where they exceed 1, broadcast."""
    total = tensor_of(0.0)
    for each in found:
        total = total + each.log().clamp(min=0)
    return total


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
