"""Whether mappings fit given hardware; if not, which level overflows and by how much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.accelerator.expression import Value, values
from tilegrad.accelerator.requirement import KILOBYTES, Requirement, Tiles
from tilegrad.nest import Nest


@dataclass(frozen=True)
class Overflow:
    """A level that is too small: ``need`` over ``have``.

    ``what`` is ``KB`` (all instances), ``words`` (one instance; both with the tensors' ``parts``)
    or the mesh axis ``X`` or ``Y``.
    """

    level: str
    what: str
    need: float
    have: float
    parts: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        need, have, excess = map(_number, (self.need, self.have, self.need - self.have))
        if self.what in AXES:
            return (
                f"{self.level} spreads loops over {need} instances along {self.what}, "
                f"{excess} more than the mesh has ({have})"
            )
        parts = " + ".join(f"{name} {_number(size)}" for name, size in self.parts.items())
        return (
            f"{self.level} must hold {need} {self.what} ({parts}), {excess} {self.what} "
            f"more than its {have} {self.what}"
        )


def find_overflows(
    nest: Nest, accelerator: Accelerator, hardware: Mapping[str, Value]
) -> dict[int, list[Overflow]]:
    """Return what does not fit in each mapping of ``nest`` ``[mapping]``, by index; {} if all fit.

    ``hardware`` holds every parameter, as one value or ``[mapping]``.
    """
    found: dict[int, list[Overflow]] = {}
    for each in accelerator.requirements:
        need, have = each.need(nest), values(each.have, hardware)
        # Factors that are 1 throughout leave needs, or operations, without the mappings' dimension.
        over, _ = torch.broadcast_tensors(need > have, nest.macs)
        for (index,) in torch.atleast_1d(over).nonzero().tolist():
            overflow = _overflow(each, index, nest, accelerator, hardware)
            found.setdefault(index, []).append(overflow)
    return found


def fits(
    tiles: Tiles, accelerator: Accelerator, hardware: Mapping[str, Value]
) -> Bool[Tensor, "*batch"]:
    """Return which mappings fit the hardware, ``[...]``."""
    fitting = torch.ones((), dtype=torch.bool, device="cpu")  # mixes with any device's
    for each in accelerator.requirements:
        fitting = fitting & (each.need(tiles) <= values(each.have, hardware))
    return fitting


def _overflow(
    requirement: Requirement,
    index: int,
    nest: Nest,
    accelerator: Accelerator,
    hardware: Mapping[str, Value],
) -> Overflow:
    level = accelerator.levels[requirement.level]
    need = _at(requirement.need(nest), index)
    have = _at(values(requirement.given, hardware), index)
    if requirement.is_mesh:
        return Overflow(level.name, requirement.what, need, have)
    scale = 1.0
    if requirement.what == KILOBYTES:
        instances = _at(values(level.instances, hardware), index)
        scale = instances * (level.bytes_per_word / 1024)
    accesses = nest.accesses[requirement.level].items()
    parts = {tensor: _at(kept.tile, index) * scale for tensor, kept in accesses}
    return Overflow(level.name, requirement.what, need * scale, have, parts)


def _at(values: Tensor, index: int) -> float:
    return float(values[index] if values.dim() else values)


def _number(value: float) -> str:
    """Three decimals tell bytes apart in KB."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")
