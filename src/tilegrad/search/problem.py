"""What is searched: a workload on an accelerator, within limits, for an objective."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.cost import area_mm2
from tilegrad.cost.capacity import find_overflows
from tilegrad.cost.footprint import Footprint
from tilegrad.cost.hardware import Hardware, least_hardware
from tilegrad.cost.latency import (
    NEST_LATENCY,
    LatencyModel,
    LearnedModel,
    NotFiniteError,
    model_footprint,
)
from tilegrad.cost.network import NetworkCost, network_cost
from tilegrad.errors import InfeasibleError, PredictionError, WorkloadError
from tilegrad.mapping import LoopNest, stack
from tilegrad.mapping.factors import MOST
from tilegrad.mapping.space import MapSpace
from tilegrad.nest import analyse_layers
from tilegrad.nest.layers import layers_of
from tilegrad.search.caps import NO_CAPS, Caps
from tilegrad.search.goal import Goal
from tilegrad.search.hardware import HardwareSpace
from tilegrad.search.objective import Objective
from tilegrad.search.own import OwnBest, side_by_side
from tilegrad.search.padding import Idleness, idleness
from tilegrad.search.pricing import Pricing
from tilegrad.search.tables import LayerTable
from tilegrad.shape import Shape
from tilegrad.workload import Workload, order_of
from tilegrad.workload.values import LARGEST
from tilegrad.workload.workload import Stack

CPU = torch.device("cpu")

NAMED = 5
"""Layers that a message lists."""

SHRINK = (1, 2, 4, 8, 16, 32, 64)
"""Divisors of the largest mesh that are looked at where area counts."""


@dataclass(frozen=True)
class SearchProblem:
    """A workload, the hardware allowed for it, the objective, and the latency's model.

    ``device``: where strategies that can compute many designs at once do so.
    ``padded``: factors of awkward bounds need not divide them. ``own``: of several networks each
    one's best on hardware of its own, once that is known. ``caps``: on what designs do.
    ``known``: designs ``[design, layer]`` to begin beside; ``near``: they are so near the best
    that a strategy may refine them alone. ``calls``: of each layer the call of a
    machine's library that runs it, where that is another than its mapping's own (None).
    """

    workload: Workload
    hardware: HardwareSpace
    objective: Objective
    model: LatencyModel = NEST_LATENCY
    device: torch.device = CPU
    padded: bool = False
    own: tuple[OwnBest, ...] = ()
    caps: Caps = NO_CAPS
    known: LoopNest | None = None
    near: bool = False
    calls: tuple[str | None, ...] = ()

    @cached_property
    def goal(self) -> Goal:
        """What is minimised."""
        return Goal.of(self.workload, self.objective, [own.value for own in self.own], self.caps)

    def alone(self, network: int) -> SearchProblem:
        """Return the problem of one of several networks by itself."""
        several = self.workload.networks
        name = self.workload.name if several is None else several.members[network].name
        layers = self.workload.places[network]
        own = Workload(name, self.workload.layers[layers.start : layers.stop])
        return replace(self, workload=own, own=(), known=None, near=False)

    @property
    def beside(self) -> LoopNest | None:
        """Designs ``[design, layer]`` to begin beside: known ones, or all networks' own; if any."""
        return self.known if self.known is not None else side_by_side(self.own)

    @property
    def accelerator(self) -> Accelerator:
        """The accelerator whose sizes are searched."""
        return self.hardware.accelerator

    @cached_property
    def pricing(self) -> Pricing:
        """What larger sizes cost."""
        return Pricing(self.hardware, self.objective)

    @cached_property
    def idleness(self) -> Idleness:
        """What perfect factors waste of the widest array allowed."""
        return idleness(self.workload, self.accelerator, self.meshes[0])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user should know before trusting a design."""
        idle = self.idleness.pays and not self.padded
        return (*self.pricing.warnings, *([str(self.idleness)] if idle else []))

    @cached_property
    def spaces(self) -> dict[Shape, MapSpace]:
        """The mapspace that all layers of one shape share."""
        shapes = (stack.shape for stack in self.workload.stacks)
        return {
            shape: MapSpace(self.accelerator.running(shape), padded=self.padded) for shape in shapes
        }

    @cached_property
    def tables(self) -> list[LayerTable]:
        """Each layer's legal factors and candidate orders."""
        widths = [
            {
                (index, AXES.index(axis)): float(fanout.width(meshes))
                for index, level in enumerate(self.accelerator.levels)
                for axis, fanout in level.fanout.items()
            }
            for meshes in self.meshes
        ]
        layers = self.workload.layers
        # What draws less power may be what leaves instances idle.
        idle = self.caps.pj_per_cycle < float("inf")
        return [LayerTable(self.spaces[layer.shape], layer, widths, idle) for layer in layers]

    @cached_property
    def meshes(self) -> list[dict[str, float]]:
        """Mesh sizes to look at: the largest allowed, and smaller ones where area matters.

        Under a cap of the area the template's own are among them, if they are below it.
        """
        largest = self.hardware.widest(float(max(map(max, self._bounds))))
        matters = self.objective.area_power > 0 or self.hardware.area_cap is not None
        matters = matters or self.caps.pj_per_cycle < float("inf")
        meshes = [
            {name: self._shrunk(name, size, divisor) for name, size in largest.items()}
            for divisor in (SHRINK if matters else (1,))
        ]
        own = None if self.hardware.area_cap is None else self.hardware.own
        if own is not None:
            meshes.append({name: own[name] for name in largest})
        return meshes

    def _shrunk(self, name: str, size: float, divisor: int) -> float:
        if name in self.hardware.fixed:
            return size
        return max(self.accelerator.parameters[name].minimum, float(size // divisor))

    @property
    def _bounds(self) -> list[tuple[int, ...]]:
        return [problem.bounds for problem in self.workload.layers]

    def smallest(self) -> LoopNest:
        """Return the design with all loops in DRAM, ``[1, layer]``: it needs the least of all."""
        first = torch.zeros(1, dtype=torch.int64)
        nests = stack([table.nests(table.smallest(), first) for table in self.tables])
        return nests.each(lambda tensor: tensor.movedim(0, 1))

    def check_size(self) -> None:
        """Refuse layers that are counted inexactly, or whose choices no memory holds, by name."""
        for layer, table in zip(self.workload.layers, self.tables, strict=True):
            sizes = {"multiply-accumulates": layer.macs * layer.count, **layer.tensor_sizes()}
            for what, size in sizes.items():
                if size > LARGEST:
                    raise WorkloadError(
                        f"layer {layer.name!r}: its bounds make {size:.4g} {what} (all executions "
                        f"together); legal: at most {LARGEST}, up to which counts are exact"
                    )
            for dim, (count, bound) in enumerate(zip(table.counted(), layer.bounds, strict=True)):
                if count > MOST:
                    field = layer.shape.dims[dim]
                    raise WorkloadError(
                        f"layer {layer.name!r}, field {field}: {bound} splits over the loops "
                        f"of {self.accelerator.name} in {count:,} ways; legal: a bound with at "
                        f"most {MOST:,}, which has fewer divisors (one near it often does)"
                    )

    def check_feasible(self) -> None:
        """Refuse limits that even the smallest mappings exceed, naming the limit and the need."""
        smallest = self.smallest()
        nest = analyse_layers(smallest, self.workload.stacks, self.accelerator)
        needs = [column.need(nest).amax(-1) for column in self.accelerator.columns]
        least = least_hardware(self.accelerator, needs, self.hardware.fixed, exact=True)
        for name, value in least.needed.items():
            if float(value) > self.hardware.limit(name):
                group = "hardware" if name in self.hardware.fixed else "caps"
                raise InfeasibleError(
                    f"{group}.{name} = {self.hardware.limit(name):g} holds no mapping of every "
                    f"layer; the smallest needs {float(value):g} {self._unit(name)}"
                )
        sizes = {n: torch.tensor(float(v), dtype=torch.float64) for n, v in least.hardware.items()}
        if (reason := self.misfit(smallest, sizes)) is not None:
            raise InfeasibleError(f"no mapping fits accelerator {self.accelerator.name}: {reason}")
        area = float(torch.as_tensor(area_mm2(self.accelerator, sizes)))
        if self.hardware.area_cap is not None and area > self.hardware.area_cap:
            raise InfeasibleError(
                f"caps.area_mm2 = {self.hardware.area_cap:g} is below the smallest design's "
                f"{area:.4g} mm2"
            )

    def misfit(self, design: LoopNest, hardware: Hardware) -> str | None:
        """Return what of a design ``[1, layer]`` does not fit hardware, and where; None if nothing.

        The hardware's parameters have one value each.
        """
        nests = design.each(lambda tensor: tensor.squeeze(0))
        nest = analyse_layers(nests, self.workload.stacks, self.accelerator)
        sizes = {name: float(value) for name, value in hardware.items()}
        for layer, overflows in find_overflows(nest, self.accelerator, sizes).items():
            return f"layer {self.workload.layers[layer].name!r}: {'; '.join(map(str, overflows))}"
        return None

    def _unit(self, name: str) -> str:
        return self.accelerator.parameters[name].unit

    def check_predictions(self) -> None:
        """Refuse a model that has no finite latency for the smallest mappings, naming layers."""
        self.evaluate(self.smallest())

    def evaluate(self, nests: LoopNest) -> tuple[NetworkCost, Tensor]:
        """Return exact costs of designs ``[..., layer]`` and their objective ``[...]``.

        The objective is infinite where the hardware exceeds a limit or a fixed size.
        """
        cost = network_cost(nests, self.workload, self.accelerator, self.hardware.fixed)
        energy, latency = self.goal.totals(cost.layers.energy_pj), self.latency(nests, cost)
        value = self.goal.value(energy, latency, cost.area_mm2)
        legal = self.hardware.within(cost.hardware) & cost.fits.all(-1)
        if self.caps.any:
            legal = legal & self.caps.met(energy, latency).all(-1)
        return cost, value.expand(nests.batch_shape[:-1]).masked_fill(~legal, float("inf"))

    @property
    def learned(self) -> LearnedModel | None:
        """The model of the latency, if it is not the nest's own."""
        return self.model.learned

    def latency(self, nests: LoopNest, cost: NetworkCost) -> Tensor:
        """Return latencies to be minimised [cycles] of designs ``[..., layer]``, by network.

        ``cost`` is theirs; its cycles are the latency where there is no other model.
        """
        if self.model.learned is None:
            return self.goal.totals(cost.layers.cycles)
        sums = self.footprint(nests)
        hardware = {name: value.unsqueeze(-1) for name, value in cost.hardware.items()}
        try:
            layers = self.model.cycles(sums, self.accelerator, hardware)
        except NotFiniteError as error:
            where = error.where.expand(nests.batch_shape).flatten(0, -2).any(0).nonzero().flatten()
            names = ", ".join(self.workload.layers[place].name for place in where.tolist()[:NAMED])
            more = f" and {len(where) - NAMED:,} more" if len(where) > NAMED else ""
            raise PredictionError(error.told(f", of the layers {names}{more}")) from error
        return self.goal.totals(layers.expand(nests.batch_shape))

    def footprint(self, nests: LoopNest) -> Footprint:
        """Return the footprints of designs ``[..., layer]``, with what the model reads."""
        stacks = self.workload.stacks
        if len(stacks) == 1:
            return self._footprint(nests, stacks[0], self.model)
        learned, batch = self.model.learned, nests.batch_shape[:-1]
        each = [
            self._footprint(
                layers_of(nests, stack),
                stack,
                learned.among(stack.places) if learned else self.model,
            ).expand(*batch, len(stack.places))
            for stack in stacks
        ]
        order = torch.tensor(order_of(stacks))
        columns = zip(*(part.parts for part in each), strict=True)
        return Footprint(*(torch.cat(part, -2).index_select(-2, order) for part in columns))

    def _footprint(self, nests: LoopNest, stack: Stack, model: LatencyModel) -> Footprint:
        accelerator = self.accelerator.running(stack.shape)
        return model_footprint(model, nests, stack.bounds, stack.strides, accelerator)
