"""Relaxed mappings of the layers of one shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from tilegrad.accelerator import AXES
from tilegrad.accelerator.inversion import direction
from tilegrad.cost.footprint import Footprint, before_logs
from tilegrad.cost.latency import LatencyModel, model_footprint
from tilegrad.mapping import LoopNest
from tilegrad.mapping.space import TEMPORAL, MapSpace
from tilegrad.nest import analyse
from tilegrad.search.gradient.machine import Machine
from tilegrad.search.hardware import HardwareSpace
from tilegrad.search.tables import LayerTable
from tilegrad.workload.workload import Stack


@dataclass(frozen=True)
class RelaxedStack:
    """The layers of one shape: ``bounds [layer, dim]``, ``orders [layer, order, level, position]``.

    Layers with fewer candidate orders repeat their first. ``log_widths`` and ``dims [slot]``: how
    wide a slot may be, and its dim; ``slots``: those of each dim; ``places [layer]``: where the
    layers stand among all. Indices are tensors, since lists would make a GPU wait.
    """

    space: MapSpace
    stack: Stack
    orders: Int64[Tensor, "layer order level dim"]
    log_widths: Float64[Tensor, " slot"]
    dims: Int64[Tensor, " slot"]
    slots: tuple[Int64[Tensor, " *_"], ...]
    places: Int64[Tensor, " layer"]
    machine: Machine = field(default_factory=Machine, compare=False)

    @property
    def bounds(self) -> Tensor:
        """Loop bounds ``[layer, dim]``."""
        return self.stack.bounds

    @classmethod
    def of(
        cls, stack: Stack, tables: Sequence[LayerTable], most: int, hardware: HardwareSpace
    ) -> RelaxedStack:
        """Stack the layers' tables, with ``most`` orders each."""
        space = tables[stack.places[0]].space
        orders = [
            torch.cat([t.orders, t.orders[:1].expand(most - len(t.orders), -1, -1)])
            for t in (tables[place] for place in stack.places)
        ]
        widths = torch.full((len(space.slots),), torch.inf, dtype=torch.float64)
        for index, slot in enumerate(space.slots):
            if slot.axis != TEMPORAL:
                widths[index] = mesh_width(space, hardware, slot.level, slot.axis)
        return cls(
            space,
            stack,
            torch.stack(orders),
            widths.log(),
            torch.tensor([slot.dim for slot in space.slots]),
            tuple(torch.tensor(slots, dtype=torch.long) for slots in space.slots_of),
            torch.tensor(stack.places),
        )

    def each(self, change: Callable[[Tensor], Tensor]) -> RelaxedStack:
        """Return the same layers with each tensor changed."""
        bounds, strides = change(self.stack.bounds), change(self.stack.strides)
        return RelaxedStack(
            self.space,
            replace(self.stack, bounds=bounds, strides=strides),
            change(self.orders),
            change(self.log_widths),
            change(self.dims),
            tuple(change(slots) for slots in self.slots),
            change(self.places),
        )

    def begin(
        self, share: Float64[Tensor, "start layer slot"]
    ) -> Float64[Tensor, "start layer slot"]:
        """Return log factors ``[start, layer, slot]`` that take uniform shares of their bounds.

        Spatial slots begin wide: three quarters of what the bound and the mesh allow, or more.
        """
        temporal = [slot.axis == TEMPORAL for slot in self.space.slots]
        spatial = ~torch.tensor(temporal, device=share.device)
        share = torch.where(spatial, 0.75 + 0.25 * share, share)
        return self.project(share * self.bounds.log()[:, self.dims])

    def project(
        self, logs: Float64[Tensor, "start layer slot"]
    ) -> Float64[Tensor, "start layer slot"]:
        """Return the nearest log factors that are legal: at least 1, product at most the bound."""
        logs = torch.minimum(logs.clamp(min=0), self.log_widths)
        totals = [logs.index_select(-1, slots).sum(-1) for slots in self.slots]
        total = torch.stack(totals, -1).clamp(min=1e-12)
        return logs * (self.bounds.log() / total).clamp(max=1).index_select(-1, self.dims)

    def sums(self, logs: Float64[Tensor, "start layer slot"], model: LatencyModel) -> Footprint:
        """Return footprints ``[start, layer, order]`` of log factors ``[start, layer, slot]``."""
        factors = logs.exp()
        found = self.machine.footprint(self, factors, model)
        return self.of_factors(factors, model) if found is None else found

    def of_factors(
        self, factors: Float64[Tensor, "start layer slot"], model: LatencyModel
    ) -> Footprint:
        """Return footprints ``[start, layer, order]`` of factors, by tensor operations."""
        bounds, strides, nests = self._nests(factors)
        sums = model_footprint(model, nests, bounds, strides, self.space.accelerator)
        # Factors that are 1 throughout leave columns without the batch's dimensions.
        return sums.expand(*factors.shape[:-1], self.orders.shape[1])

    def before_logs(self, factors: Float64[Tensor, "start layer slot"]) -> tuple[Tensor, ...]:
        """Return the parts of the same, see ``footprint.before_logs``.

        ``[start, layer, order, column]``; of one order the one that is alike for all.
        """
        _, strides, nests = self._nests(factors)
        accelerator = self.space.accelerator
        parts = before_logs(analyse(nests, strides, accelerator), accelerator)
        every = self.orders.shape[1]
        orders = (every, every, every, 1, every)
        shape = factors.shape[:-1]
        return tuple(p.expand(*shape, each, -1) for p, each in zip(parts, orders, strict=True))

    def _nests(self, factors: Tensor) -> tuple[Tensor, Tensor, LoopNest]:
        """Return bounds, strides and nests ``[start, layer, order]`` that broadcast."""
        bounds, strides = self.bounds.unsqueeze(-2), self.stack.strides.unsqueeze(-2)
        return bounds, strides, self.space.mapping(factors.unsqueeze(-2), bounds, self.orders)

    def sample(self, orders: int) -> tuple[RelaxedStack, Float64[Tensor, "1 1 slot"]]:
        """Return a layer that stands for any, with so many orders, and factors of it.

        Loops are 1 where all layers' are, and nowhere else: tensor operations leave those out.
        """
        alike = (self.bounds == 1).all(0)
        strides = self.stack.strides[:1].clone()
        bounds = torch.where(alike, 1.0, 1000.0).unsqueeze(0)
        factors = torch.linspace(1.1, 1.9, len(self.dims), dtype=torch.float64)
        layer = replace(
            self,
            stack=replace(
                self.stack, places=self.stack.places[:1], bounds=bounds.double(), strides=strides
            ),
            orders=self.orders[:1, :1].repeat(1, orders, 1, 1),
            places=self.places[:1],
        )
        return layer, torch.where(alike[self.dims], 1.0, factors).view(1, 1, -1)


def mesh_width(space: MapSpace, hardware: HardwareSpace, level: int, axis: int) -> float:
    """Return the widest mesh axis below a level that the limits allow."""
    width = space.accelerator.levels[level].fanout[AXES[axis]].width
    least = {name: each.minimum for name, each in space.accelerator.parameters.items()}
    sizes = {**least, **hardware.fixed}
    for name in width.names:
        if direction(width, name, least) == 1:
            sizes[name] = hardware.limit(name)
    return float(width(sizes))
