"""Schedules as the loop nest sees them: traffic, utilisation and the terms of the roofline."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from tilegrad.accelerator import ACCESSES, Accelerator
from tilegrad.accelerator.expression import Value
from tilegrad.accelerator.requirement import Requirement
from tilegrad.cost.footprint import Footprint, port_widths
from tilegrad.mapping import LoopNest
from tilegrad.predictors.features.column import Column
from tilegrad.predictors.features.raw import hardware_then


class Analytical:
    """Logs of the hardware, the roofline's cycles, the traffic, the utilisation and occupancies.

    - ``roofline.*``: cycles of the arithmetic and of every port at its full width; Timeloop's
      latency is their maximum, which a predictor has to find out;
    - ``traffic.*``: words over all instances, by level and kind of access;
    - ``utilisation.arithmetic``: the share of the arithmetic that works in a step;
    - ``occupancy.*``: the share of a level's capacity that the tiles take.
    """

    name = "analytical"
    limits: tuple[str, ...] = ()

    def schema(self, accelerator: Accelerator) -> tuple[Column, ...]:
        """Return the columns in the order of ``columns``."""
        return (
            *(Column(f"hardware.{p.name}", p.unit) for p in accelerator.parameters.values()),
            *(Column(f"roofline.{name}", "cycles") for name in ports(accelerator)),
            *(Column(f"traffic.{name}", "words") for name in traffic(accelerator)),
            Column("utilisation.arithmetic", "share"),
            *(Column(f"occupancy.{name}", "share") for name in _sized(accelerator)),
        )

    def measured_by(self, programs: str, calls: Tensor | None = None) -> Analytical:  # noqa: ARG002
        """Return the same: what ran the mappings does not matter to the nest."""
        return self

    def unread(
        self,
        nests: LoopNest,
        accelerator: Accelerator,  # noqa: ARG002
    ) -> Tensor:
        """Return none: the nest counts loops wherever they lie."""
        return torch.zeros(nests.batch_shape, dtype=torch.bool, device=nests.temporal.device)

    def context(
        self,
        nests: LoopNest,
        bounds: Tensor,  # noqa: ARG002
        strides: Tensor,  # noqa: ARG002
        accelerator: Accelerator,  # noqa: ARG002
    ) -> Tensor:
        """Return nothing: the footprint says all."""
        return nests.temporal.new_empty(*nests.batch_shape, 0)

    def columns(
        self,
        sums: Footprint,
        context: Tensor,  # noqa: ARG002
        accelerator: Accelerator,
        hardware: Mapping[str, Value],
    ) -> Tensor:
        """Return the features ``[..., column]``."""
        widths = port_widths(accelerator, hardware, sums.port_words.device)
        cycles = (sums.port_words / widths).clamp(min=1).log()
        # A level that a tensor never enters has no words; the log of one word stands for none.
        words = sums.energy_words.clamp(min=1).log()
        parallel = words[..., 0] - cycles[..., 0]
        parts = [
            *cycles.unbind(-1),
            *words.unbind(-1),
            parallel - _mesh(accelerator, hardware, parallel).log(),
            *_occupancies(sums, accelerator, hardware),
        ]
        return torch.cat(hardware_then(tuple(parts), accelerator, hardware), -1)


def ports(accelerator: Accelerator) -> list[str]:
    """Return the names of ``Footprint.port_words``' columns."""
    levels = accelerator.levels
    return ["arithmetic", *(f"{level.name}.{port}" for level in levels for port in level.bandwidth)]


def traffic(accelerator: Accelerator) -> list[str]:
    """Return the names of ``Footprint.energy_words``' columns."""
    levels = accelerator.levels
    return ["macs", *(f"{level.name}.{kind}" for level in levels for kind in ACCESSES)]


def _sized(accelerator: Accelerator) -> list[str]:
    return [accelerator.levels[each.level].name for _, each in _buffers(accelerator)]


def _buffers(accelerator: Accelerator) -> list[tuple[int, Requirement]]:
    """Return the capacities that parameters decide, with their columns of ``Footprint.needs``."""
    columns = enumerate(accelerator.columns)
    return [(place, column.requirements[0]) for place, column in columns if not column.is_mesh]


def _mesh(accelerator: Accelerator, hardware: Mapping[str, Value], like: Tensor) -> Tensor:
    """Return how many MAC units there are: the product of all mesh widths."""
    widths = like.new_ones(())
    for level in accelerator.levels:
        for fanout in level.fanout.values():
            widths = widths * fanout.width(hardware)
    return widths


def _occupancies(
    sums: Footprint, accelerator: Accelerator, hardware: Mapping[str, Value]
) -> list[Tensor]:
    found = []
    for place, capacity in _buffers(accelerator):
        level = accelerator.levels[capacity.level]
        words = sums.needs[..., place]
        kilobytes = words * level.instances(hardware) * (level.bytes_per_word / 1024)
        found.append((kilobytes / capacity.given(hardware)).log())
    return found
