"""Rows of schedules whose layers and machines are ids of a catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.mapping import LoopNest
from tilegrad.shape.conv import DIMS


@dataclass(frozen=True)
class ScheduleRows:
    """Rows of schedules: nests ``[row, level, dim]``, ids and targets ``[row]``; see ``Schedules``
    for ``calls``.
    """

    nests: LoopNest
    layer: Tensor
    machine: Tensor
    targets: dict[str, Tensor]
    calls: Tensor | None = None

    def put(self, rows: slice, part: ScheduleRows) -> None:
        """Overwrite some rows."""
        self.nests.temporal[rows] = part.nests.temporal
        self.nests.spatial[rows] = part.nests.spatial
        self.nests.order[rows] = part.nests.order
        self.layer[rows] = part.layer
        self.machine[rows] = part.machine
        for name, values in self.targets.items():
            values[rows] = part.targets[name]


def empty_rows(accelerator: Accelerator, rows: int, targets: Sequence[str]) -> ScheduleRows:
    """Return rows to be overwritten; every factor is 1."""
    levels, dims = len(accelerator.levels), len(DIMS)
    # One row of memory per level and dim: the analysis reads whole columns.
    temporal = torch.ones(levels, dims, rows, dtype=torch.float64)
    spatial = torch.ones(levels, len(AXES), dims, rows, dtype=torch.float64)
    order = torch.empty(levels, dims, rows, dtype=torch.int64)
    return ScheduleRows(
        LoopNest(temporal.permute(2, 0, 1), spatial.permute(3, 0, 1, 2), order.permute(2, 0, 1)),
        torch.empty(rows, dtype=torch.int64),
        torch.empty(rows, dtype=torch.int64),
        {name: torch.empty(rows, dtype=torch.float64) for name in targets},
    )
