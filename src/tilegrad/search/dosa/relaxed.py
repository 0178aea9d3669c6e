"""DOSA's relaxation: the factors themselves are real numbers, and the loss is a product.

As published beside the paper (github.com/ucb-bar/dosa, ``mapping_driven_hw_search.py``): (sum of
energies) x (sum of latencies) x (1 + the squares of what factors lack to 1); the outermost factors
take what the others leave. The figures are those of this project's analysis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from tilegrad.cost.footprint import Footprint, energy_pj
from tilegrad.cost.hardware import Hardware
from tilegrad.cost.latency import LatencyModel, model_footprint
from tilegrad.mapping import LoopNest
from tilegrad.mapping.space import TEMPORAL
from tilegrad.search.gradient.relaxed import RelaxedProblem
from tilegrad.search.gradient.relaxed_stack import RelaxedStack

LEAST = 0.1
"""A factor below it leaves to the outermost loop as much as this one."""

TEMPORAL_UNITS = {"R": 11.0, "S": 11.0, "P": 1024.0, "Q": 112.0, "C": 25088.0, "K": 4096.0}
SPATIAL_UNITS = {"C": 128.0, "K": 64.0}
"""The largest factors of DOSA's public table, by the kind of their dim: the published code divides
factors by them, so that its learning rates are shares of these."""

BEYOND = 10.0
"""Weight of the square of what lies beyond a limit: published for PEs beyond 16, where these are
held there (``constant_pe``); without a limit on PEs the published loss has no such term either."""

LIMIT = 16.0
"""PEs of which that is stated; any limit counts as so many units of its own."""

MOST_EXCESS = 20.0
"""E-folds beyond a limit that are told apart."""


@dataclass(frozen=True)
class DirectProblem:
    """The layers of a relaxed problem, whose factors ``[start, layer, slot]`` descend themselves.

    ``orders`` are ``[start, layer, order, level, dim]``: the loop orders that each layer is priced
    with.
    """

    relaxed: RelaxedProblem

    def units(self) -> Float64[Tensor, "layer slot"]:
        """Return what one is of each factor; of slots that a layer lacks, 1.

        Factors of dims without loops in the public table count by the layers' largest bound.
        """
        whole = torch.ones(len(self.relaxed.order), self.relaxed.slots, dtype=torch.float64)
        for stack in self.relaxed.stacks:
            units = torch.tensor(list(_units(stack)), dtype=torch.float64)
            whole[stack.places, : len(units)] = units
        return whole

    def loss(
        self,
        factors: Float64[Tensor, "start layer slot"],
        orders: Int64[Tensor, "start layer 1 level dim"],
    ) -> tuple[Tensor, Tensor]:
        """Return what is minimised ``[start]``, and its part without penalties.

        Any size or figure beyond a limit costs what the published loss has for PEs beyond 16.
        """
        sums, lacking = self._sums(factors, orders)
        energy, latency, hardware, excess = self._figures(sums)
        totals = self.relaxed.goal.totals
        network = totals(energy.squeeze(-1)), totals(latency.squeeze(-1))
        area = self.relaxed.area_mm2(hardware)
        excess = self.relaxed.exceeded(excess, *network, area)
        value = self.relaxed.goal.value(*network, area).expand(len(factors))
        beyond = BEYOND * (LIMIT * excess.clamp(max=MOST_EXCESS).expm1()).square()
        return value + value.detach() * (lacking + beyond), value

    @torch.no_grad()
    def priced(
        self,
        factors: Float64[Tensor, "start layer slot"],
        orders: Int64[Tensor, "start layer order level dim"],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return energies and latencies ``[start, layer, order]``, and the area ``[start]``."""
        sums, _ = self._sums(factors, orders)
        energy, latency, hardware, _ = self._figures(sums)
        area = self.relaxed.area_mm2(hardware).expand(len(factors))
        return energy.expand(orders.shape[:3]), latency.expand(orders.shape[:3]), area

    def _figures(self, sums: Footprint) -> tuple[Tensor, Tensor, Hardware, Tensor]:
        """Return energies, latencies ``[start, layer, order]``, hardware and excess ``[start]``."""
        accelerator = self.relaxed.hardware.accelerator
        hardware, excess = self.relaxed.allowed(sums)
        spread = {name: value[:, None, None] for name, value in hardware.items()}
        energy = energy_pj(sums, accelerator, spread)
        return energy, self.relaxed.model.cycles(sums, accelerator, spread), hardware, excess

    def _sums(self, factors: Tensor, orders: Tensor) -> tuple[Footprint, Tensor]:
        """Return footprints ``[start, layer, order]`` and what factors lack to 1 ``[start]``."""
        stacks, parts = self.relaxed.stacks, self.relaxed.parts(factors)
        found, lacking = [], factors.new_zeros(len(factors))
        for stack, part in zip(stacks, parts, strict=True):
            order = orders if len(stacks) == 1 else orders[:, stack.places]
            sums, short = _priced(stack, part, order, self.relaxed.model)
            found.append(sums)
            lacking = lacking + short
        return self.relaxed.joined(found), lacking


def _priced(
    stack: RelaxedStack, factors: Tensor, orders: Tensor, model: LatencyModel
) -> tuple[Footprint, Tensor]:
    """Return footprints of factors that may lie below 1, and the squares of what they lack to it.

    Such loops are priced as none, and leave more to the outermost ones.
    """
    bounds = stack.bounds.unsqueeze(-2)
    orders = orders[..., : bounds.shape[-1]]
    nests = stack.space.mapping(factors.clamp(min=LEAST).unsqueeze(-2), bounds, orders)
    # The outermost loops' own, and the factors as they are.
    lacking = (1 - nests.temporal[..., -1, :]).clamp(min=0).square().sum((-3, -2, -1))
    lacking = lacking + (1 - factors).clamp(min=0).square().sum((-2, -1))
    priced = LoopNest(nests.temporal.clamp(min=1), nests.spatial.clamp(min=1), nests.order)
    strides = stack.stack.strides.unsqueeze(-2)
    sums = model_footprint(model, priced, bounds, strides, stack.space.accelerator)
    return sums.expand(*factors.shape[:-1], orders.shape[2]), lacking


def _units(stack: RelaxedStack) -> Iterator[float]:
    """Yield what one is of each slot's factor."""
    letters = stack.space.accelerator.shape.letters
    for slot in stack.space.slots:
        table = TEMPORAL_UNITS if slot.axis == TEMPORAL else SPATIAL_UNITS
        yield table.get(letters[slot.dim], float(stack.bounds[:, slot.dim].max()))
