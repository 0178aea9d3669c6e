"""Relaxed mappings of all layers and starts, and their descent by gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from tilegrad.accelerator.expression import values
from tilegrad.cost import area_mm2
from tilegrad.cost.footprint import Footprint, energy_pj
from tilegrad.cost.hardware import Hardware, least_hardware
from tilegrad.cost.latency import NEST_LATENCY, LatencyModel
from tilegrad.search.goal import Goal
from tilegrad.search.gradient.relaxed_stack import RelaxedStack
from tilegrad.search.hardware import HardwareSpace
from tilegrad.search.tables import LayerTable
from tilegrad.workload import Workload, order_of


@dataclass(frozen=True)
class RelaxedProblem:
    """All layers, by shape; tensors of factors ``[start, layer, slot]`` have the most slots.

    ``repeated [layer, order]`` marks orders that a layer only repeats; ``order [layer]`` puts the
    stacks' layers, one stack after the other, in the workload's order.
    """

    stacks: tuple[RelaxedStack, ...]
    hardware: HardwareSpace
    goal: Goal
    repeated: Tensor
    order: Tensor
    model: LatencyModel

    @classmethod
    def of(
        cls,
        tables: Sequence[LayerTable],
        workload: Workload,
        hardware: HardwareSpace,
        goal: Goal,
        model: LatencyModel = NEST_LATENCY,
    ) -> RelaxedProblem:
        """Stack the layers' tables."""
        most = max(len(table.orders) for table in tables)
        numbers = torch.arange(most)
        return cls(
            tuple(RelaxedStack.of(stack, tables, most, hardware) for stack in workload.stacks),
            hardware,
            goal,
            torch.stack([numbers >= len(table.orders) for table in tables]),
            torch.tensor(order_of(workload.stacks)),
            model,
        )

    def to(self, device: torch.device) -> RelaxedProblem:
        """Return the same problem on a device, where all its tensors then are."""
        return self.each(lambda tensor: tensor.to(device))

    def each(self, change: Callable[[Tensor], Tensor]) -> RelaxedProblem:
        """Return the same problem with each tensor changed."""
        return replace(
            self,
            stacks=tuple(stack.each(change) for stack in self.stacks),
            goal=self.goal.each(change),
            repeated=change(self.repeated),
            order=change(self.order),
        )

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.goal.counts.device

    @property
    def slots(self) -> int:
        """The most slots of a shape."""
        return max(len(stack.space.slots) for stack in self.stacks)

    def random(
        self, starts: int, generator: torch.Generator
    ) -> Float64[Tensor, "start layer slot"]:
        """Return random log factors ``[start, layer, slot]``: shares of the bounds' logs."""
        shape = (starts, len(self.goal.counts), self.slots)
        there = generator.device
        share = torch.rand(shape, generator=generator, dtype=torch.float64, device=there)
        return self._each(share.to(self.device), lambda stack, part: stack.begin(part))

    def project(
        self, logs: Float64[Tensor, "start layer slot"]
    ) -> Float64[Tensor, "start layer slot"]:
        """Return the nearest log factors that are legal: at least 1, product at most the bound."""
        return self._each(logs, lambda stack, part: stack.project(part))

    def parts(self, logs: Tensor) -> list[Tensor]:
        """Return each stack's own ``[start, layer, slot]``."""
        if len(self.stacks) == 1:
            return [logs]
        return [logs[:, each.places, : len(each.space.slots)] for each in self.stacks]

    def _each(self, logs: Tensor, change: Callable[[RelaxedStack, Tensor], Tensor]) -> Tensor:
        """Return ``logs`` with each stack's part changed; slots that a shape lacks are 0."""
        parts = [
            change(each, part) for each, part in zip(self.stacks, self.parts(logs), strict=True)
        ]
        if len(parts) == 1:
            return parts[0]
        whole = torch.zeros_like(logs)
        for each, part in zip(self.stacks, parts, strict=True):
            whole[:, each.places, : part.shape[-1]] = part
        return whole

    def _sums(self, logs: Tensor) -> Footprint:
        """Return footprints ``[start, layer, order]`` of log factors ``[start, layer, slot]``."""
        return self.joined(
            [
                each.sums(part, self.model)
                for each, part in zip(self.stacks, self.parts(logs), strict=True)
            ]
        )

    def joined(self, parts: Sequence[Footprint]) -> Footprint:
        """Return the footprints ``[start, layer, order]`` of all layers, from each stack's."""
        if len(parts) == 1:
            return parts[0]
        columns = zip(*(part.parts for part in parts), strict=True)
        return Footprint(*(torch.cat(each, -3).index_select(-3, self.order) for each in columns))

    def loss(
        self, logs: Float64[Tensor, "start layer slot"], sharpness: float
    ) -> tuple[Float64[Tensor, " start"], Hardware, Int64[Tensor, "start layer"]]:
        """Return the log objective ``[start]``, the hardware ``[start]`` and each layer's order.

        Orders are weighted by a softmax over ``-sharpness * log`` of their own objective; the log
        of an excess over a fixed or capped size is added as a penalty.
        """
        sums = self._sums(logs)
        hardware, excess = self.allowed(sums)
        energy, latency, order = self._totals(sums, hardware, sharpness)
        area = self.area_mm2(hardware)
        excess = self.exceeded(excess, energy, latency, area)
        # Layers of one iteration on fixed sizes leave figures without the starts' dimension.
        value = self.goal.descended(energy, latency, area)
        loss = (value + PENALTY * excess).expand(len(logs))
        return loss, hardware, order.expand(*logs.shape[:-1])

    def exceeded(self, excess: Tensor, energy: Tensor, latency: Tensor, area: Tensor) -> Tensor:
        """Add to an excess ``[start]`` the logs of how far area and capped figures go too far.

        ``energy`` and ``latency [start, network]``, ``area [start]``.
        """
        if self.hardware.area_cap is not None:
            excess = excess + (area / self.hardware.area_cap).log().clamp(min=0)
        if self.goal.caps.any:
            excess = excess + self.goal.caps.excess(energy, latency).sum(-1)
        return excess

    def area_mm2(self, hardware: Hardware) -> Tensor:
        """Return the area of each start, or of all where no size is free."""
        area = area_mm2(self.hardware.accelerator, hardware)
        return area if isinstance(area, Tensor) else torch.full((), area, device=self.device)

    def allowed(self, sums: Footprint) -> tuple[Hardware, Tensor]:
        """Return the hardware to price and the log of how far needs exceed limits, ``[start]``.

        ``sums [start, layer, order]``; the needs are the largest of all layers.
        """
        needs = sums.needs.amax((-3, -2))
        space, columns = self.hardware, needs.unbind(-1)
        found = least_hardware(space.accelerator, columns, space.fixed, exact=False)
        excess = needs.new_zeros(())
        for name, need in found.needed.items():
            if space.limit(name) < torch.inf:
                excess = excess + (need / space.limit(name)).log().clamp(min=0)
        for place in space.plan.checked:
            have = values(space.accelerator.columns[place].have, found.hardware)
            excess = excess + (columns[place] / have).log().clamp(min=0)
        fixed = {n: needs.new_full((len(needs),), size) for n, size in space.fixed.items()}
        excess = excess + sums.excess.squeeze(-1).mean(-1).sum(-1)
        return found.hardware | fixed, excess

    def _totals(
        self, sums: Footprint, hardware: Hardware, sharpness: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return energies and latencies ``[start, network]`` and the orders ``[start, layer]``."""
        accelerator = self.hardware.accelerator
        spread = {name: value[:, None, None] for name, value in hardware.items()}
        energy = energy_pj(sums, accelerator, spread)
        latency = self.model.cycles(sums, accelerator, spread)
        cost = self.goal.objective.log_cost(energy.detach(), latency.detach())
        cost = cost.masked_fill(self.repeated, torch.inf)
        weight = torch.softmax(-sharpness * cost, -1)
        network_energy = self.goal.totals((energy * weight).sum(-1))
        network_latency = self.goal.totals((latency * weight).sum(-1))
        return network_energy, network_latency, cost.argmin(-1)


PENALTY = 4.0
"""How much one e-fold beyond a limit costs, in e-folds of the objective."""
