"""Hardware points and the rates that price mappings on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.expression import values
from tilegrad.cost import area_mm2
from tilegrad.cost.footprint import energy_rates, port_widths
from tilegrad.cost.hardware import Hardware


@dataclass(frozen=True)
class Points:
    """Hardware points and the rates that price a footprint on each; tensors ``[point, column]``.

    ``limits`` hold what there is of each of ``Accelerator.columns``.
    """

    accelerator: Accelerator
    hardware: Hardware
    rates: Tensor
    widths: Tensor
    limits: Tensor
    area: Tensor

    def __len__(self) -> int:
        return len(self.area)

    def at(self, point: int) -> dict[str, float]:
        """Return the parameters of one point."""
        return {name: float(value[point]) for name, value in self.hardware.items()}


def hardware_points(accelerator: Accelerator, hardware: Hardware) -> Points:
    """Return the points of ``hardware``, each parameter ``[point]`` (all alike in length)."""
    limits = [values(column.have, hardware) for column in accelerator.columns]
    count = max((len(value) for value in hardware.values()), default=1)
    area = torch.as_tensor(area_mm2(accelerator, hardware), dtype=torch.float64).expand(count)
    return Points(
        accelerator,
        hardware,
        energy_rates(accelerator, hardware).expand(count, -1),
        port_widths(accelerator, hardware).expand(count, -1),
        _columns(limits, count),
        area,
    )


def stacked(points: Sequence[Mapping[str, float]]) -> dict[str, Tensor]:
    """Return the parameters ``[point]`` of several points."""
    return {
        name: torch.tensor([sizes[name] for sizes in points], dtype=torch.float64)
        for name in points[0]
    }


def _columns(columns: list[Tensor], rows: int) -> Tensor:
    return torch.stack([c.expand(rows) for c in columns], -1) if columns else torch.empty(rows, 0)
