"""Schedules as they are: hardware, layer, tiling factors and loop orders."""

from __future__ import annotations

from collections.abc import Mapping
from math import log

import torch
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.accelerator.expression import Value
from tilegrad.cost.footprint import Footprint
from tilegrad.mapping import LoopNest
from tilegrad.predictors.features.column import Column
from tilegrad.shape.conv import DIMS, STRIDES

LOOP = log(2)
"""A loop of this log bound, or more, counts as one; a relaxed factor below it in part."""


class Raw:
    """Logs of parameters, bounds, strides and factors, and how many loops lie inside each loop.

    ``inside`` is the number of loops of the same level inside this one, 0 where the dim has no
    loop there; it is all that a loop order means, as loops of one iteration are none.
    """

    name = "raw"
    limits: tuple[str, ...] = ()

    def schema(self, accelerator: Accelerator) -> tuple[Column, ...]:
        """Return hardware, bounds, strides, temporal and spatial factors, loops inside."""
        levels = accelerator.levels
        temporal = [f"{levels[level].name}.{DIMS[dim]}" for level, dim in loops(accelerator)]
        spatial = [
            f"{levels[level].name}.{AXES[axis]}.{DIMS[dim]}"
            for level, axis, dim in spread(accelerator)
        ]
        return (
            *(Column(f"hardware.{p.name}", p.unit) for p in accelerator.parameters.values()),
            *(Column(f"bound.{dim}", "iterations") for dim in DIMS),
            *(Column(f"stride.{name}", "elements") for name in STRIDES),
            *(Column(f"temporal.{name}", "iterations") for name in temporal),
            *(Column(f"spatial.{name}", "instances") for name in spatial),
            *(Column(f"inside.{name}", "loops", logged=False) for name in temporal),
        )

    def measured_by(self, programs: str, calls: Tensor | None = None) -> Raw:  # noqa: ARG002
        """Return the same: what ran the mappings does not matter to the nest."""
        return self

    def unread(self, nests: LoopNest, accelerator: Accelerator) -> Tensor:
        """Return which mappings ``[...]`` have a temporal loop where a search puts none."""
        unread = nests.temporal > 1
        for level, dim in loops(accelerator):
            unread[..., level, dim] = False
        return unread.flatten(-2).any(-1).expand(nests.batch_shape)

    def context(
        self, nests: LoopNest, bounds: Tensor, strides: Tensor, accelerator: Accelerator
    ) -> Tensor:
        """Return all but the hardware."""
        temporal, inside = nests.temporal.log(), loops_inside(nests)
        held, across = loops(accelerator), spread(accelerator)
        parts = [
            *bounds.log().unbind(-1),
            *strides.log().unbind(-1),
            *(temporal[..., level, dim] for level, dim in held),
            *(nests.spatial[..., level, axis, dim].log() for level, axis, dim in across),
            *(inside[..., level, dim] for level, dim in held),
        ]
        return torch.stack(torch.broadcast_tensors(*parts), -1)

    def columns(
        self,
        sums: Footprint,  # noqa: ARG002
        context: Tensor,
        accelerator: Accelerator,
        hardware: Mapping[str, Value],
    ) -> Tensor:
        """Return the logs of the hardware's parameters, then the context."""
        return torch.cat(hardware_then(context.unbind(-1), accelerator, hardware), -1)


def hardware_then(
    columns: tuple[Tensor, ...], accelerator: Accelerator, hardware: Mapping[str, Value]
) -> tuple[Tensor, Tensor]:
    """Return the logs of the hardware's parameters and the columns, of the same batch."""
    there = columns[0].device
    sizes = [torch.as_tensor(hardware[name], device=there) for name in accelerator.parameters]
    logs = [size.log() for size in sizes]
    together = torch.broadcast_tensors(*logs, *columns)
    stacked = torch.stack(together, -1)
    return stacked[..., : len(logs)], stacked[..., len(logs) :]


def loops(accelerator: Accelerator) -> list[tuple[int, int]]:
    """Return the (level, dim) where a search puts temporal loops."""
    return [(index, dim) for index, level in enumerate(accelerator.levels) for dim in level.loops]


def spread(accelerator: Accelerator) -> list[tuple[int, int, int]]:
    """Return the (level, axis, dim) that may hold a spatial loop."""
    return [
        (index, AXES.index(axis), dim)
        for index, level in enumerate(accelerator.levels)
        for axis, fanout in level.fanout.items()
        for dim in fanout.dims
    ]


def loops_inside(nests: LoopNest) -> Tensor:
    """Return how many loops of its level lie inside each loop, ``[..., level, dim]``."""
    present = (nests.temporal.log() / LOOP).clamp(0, 1)
    # Orders and factors broadcast against each other.
    present, order = torch.broadcast_tensors(present, nests.order)
    outermost_first = present.gather(-1, order)
    within = outermost_first.flip(-1).cumsum(-1).flip(-1) - outermost_first
    return torch.zeros_like(present).scatter(-1, order, within) * present
