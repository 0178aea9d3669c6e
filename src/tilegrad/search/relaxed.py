"""Relaxed mappings of all layers and starts, and their descent by gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.accelerator import AXES
from tilegrad.cost import area_mm2
from tilegrad.cost.footprint import Footprint, energy_pj, smallest_hardware
from tilegrad.cost.hardware import Hardware
from tilegrad.cost.model import ROOFLINE, CostModel, model_footprint
from tilegrad.mapping.space import TEMPORAL, MapSpace
from tilegrad.search.hardware import HardwareSpace
from tilegrad.search.objective import Objective
from tilegrad.search.tables import LayerTable


@dataclass(frozen=True)
class RelaxedProblem:
    """All layers stacked: ``bounds [layer, dim]``, ``orders [layer, order, level, position]``.

    Layers with fewer candidate orders repeat their first; ``repeated [layer, order]`` marks those.
    """

    space: MapSpace
    hardware: HardwareSpace
    objective: Objective
    counts: Tensor
    bounds: Tensor
    strides: Tensor
    orders: Tensor
    repeated: Tensor
    model: CostModel

    @classmethod
    def of(
        cls,
        tables: Sequence[LayerTable],
        counts: Tensor,
        hardware: HardwareSpace,
        objective: Objective,
        model: CostModel = ROOFLINE,
    ) -> RelaxedProblem:
        """Stack the layers' tables."""
        most = max(len(table.orders) for table in tables)
        orders = [
            torch.cat([t.orders, t.orders[:1].expand(most - len(t.orders), -1, -1)]) for t in tables
        ]
        numbers = torch.arange(most)
        return cls(
            tables[0].space,
            hardware,
            objective,
            counts,
            torch.stack([table.bounds for table in tables]),
            torch.stack([table.strides for table in tables]),
            torch.stack(orders),
            torch.stack([numbers >= len(table.orders) for table in tables]),
            model,
        )

    def random(self, starts: int, generator: torch.Generator) -> Tensor:
        """Return random log factors ``[start, layer, slot]``, bounds split uniformly in log space.

        Spatial slots begin wide: three quarters of what the bound and the mesh allow, or more.
        """
        slots = self.space.slots
        shape = (starts, len(self.counts), len(slots))
        logs = torch.rand(shape, generator=generator, dtype=torch.float64)
        spatial = torch.tensor([slot.axis != TEMPORAL for slot in slots])
        logs = torch.where(spatial, 0.75 + 0.25 * logs, logs)
        return self.project(logs * self._log_bounds())

    def project(self, logs: Tensor) -> Tensor:
        """Return the nearest log factors that are legal: at least 1, product at most the bound."""
        logs = torch.minimum(logs.clamp(min=0), self._log_widths())
        scale = torch.ones_like(logs)
        for dim, slots in enumerate(self.space.slots_of):
            if slots:
                columns = list(slots)
                total = logs[..., columns].sum(-1).clamp(min=1e-12)
                scale[..., columns] = (self.bounds[:, dim].log() / total).clamp(max=1).unsqueeze(-1)
        return logs * scale

    def _log_bounds(self) -> Tensor:
        return self.bounds.log()[:, [slot.dim for slot in self.space.slots]]

    def _log_widths(self) -> Tensor:
        widths = torch.full((len(self.space.slots),), torch.inf, dtype=torch.float64)
        for index, slot in enumerate(self.space.slots):
            if slot.axis != TEMPORAL:
                widths[index] = mesh_width(self.space, self.hardware, slot.level, slot.axis)
        return widths.log()

    def loss(self, logs: Tensor, sharpness: float) -> tuple[Tensor, Hardware, Tensor]:
        """Return the log objective ``[start]``, the hardware ``[start]`` and each layer's order.

        Orders are weighted by a softmax over ``-sharpness * log`` of their own objective; the log
        of an excess over a fixed or capped size is added as a penalty.
        """
        bounds, orders = self.bounds.unsqueeze(-2), self.orders
        nests = self.space.mapping(logs.exp().unsqueeze(-2), bounds, orders)
        accelerator = self.space.accelerator
        strides = self.strides.unsqueeze(-2)
        sums = model_footprint(self.model, nests, bounds, strides, accelerator)
        # Factors that are 1 throughout leave columns without the batch's dimensions.
        batch = (*logs.shape[:-1], orders.shape[1])
        hardware, excess = self._allowed(
            sums.fanout.expand(*batch, -1).amax((-3, -2)),
            sums.kept_words.expand(*batch, -1).amax((-3, -2)),
        )
        excess = excess + sums.excess.expand(*batch, -1).squeeze(-1).mean(-1).sum(-1)
        energy, latency, order = self._totals(sums, hardware, sharpness)
        area = torch.as_tensor(area_mm2(accelerator, hardware))
        if self.hardware.area_cap is not None:
            excess = excess + (area / self.hardware.area_cap).log().clamp(min=0)
        value = self.objective.value(energy, latency, area)
        # Layers of one iteration on fixed sizes leave figures without the starts' dimension.
        loss = (value.log() + PENALTY * excess).expand(len(logs))
        return loss, hardware, order.expand(*logs.shape[:-1])

    def _allowed(self, fanout: Tensor, kept_words: Tensor) -> tuple[Hardware, Tensor]:
        """Return the hardware to price, and the log of how far needs exceed the limits."""
        accelerator = self.space.accelerator
        others = self.hardware.others
        needs = smallest_hardware(accelerator, fanout, kept_words, others)
        sized = smallest_hardware(accelerator, fanout, kept_words, self.hardware.given)
        needs |= {name: sized[name] for name in accelerator.capacity_parameters}
        excess = torch.zeros(())
        hardware = {n: fanout.new_full(fanout.shape[:-1], size) for n, size in others.items()}
        for name, need in needs.items():
            if name in others:
                continue
            limit = self.hardware.limit(name)
            if limit < torch.inf:
                excess = excess + (need / limit).log().clamp(min=0)
            fixed = self.hardware.fixed.get(name)
            hardware[name] = need if fixed is None else torch.full_like(need, float(fixed))
        return hardware, excess

    def _totals(
        self, sums: Footprint, hardware: Hardware, sharpness: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the network's energy and latency ``[start]`` and the orders ``[start, layer]``."""
        spread = {name: value[:, None, None] for name, value in hardware.items()}
        energy = energy_pj(sums, self.space.accelerator, spread)
        latency = self.model.cycles(sums, self.space.accelerator, spread)
        cost = self.objective.log_cost(energy.detach(), latency.detach())
        cost = cost.masked_fill(self.repeated, torch.inf)
        weight = torch.softmax(-sharpness * cost, -1)
        network_energy = ((energy * weight).sum(-1) * self.counts).sum(-1)
        network_latency = ((latency * weight).sum(-1) * self.counts).sum(-1)
        return network_energy, network_latency, cost.argmin(-1)


PENALTY = 4.0
"""How much one e-fold beyond a limit costs, in e-folds of the objective."""


def mesh_width(space: MapSpace, hardware: HardwareSpace, level: int, axis: int) -> float:
    """Return the widest mesh axis below a level that the limits allow."""
    width = space.accelerator.levels[level].fanout[AXES[axis]].width
    return float(width({name: hardware.limit(name) for name in space.accelerator.parameters}))
