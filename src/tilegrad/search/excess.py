"""By how much designs break limits, for searches that rank designs of which none is legal."""

from __future__ import annotations

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from tilegrad.cost.hardware import excess, summed_logs
from tilegrad.cost.network import NetworkCost
from tilegrad.mapping import LoopNest
from tilegrad.nest import analyse_layers
from tilegrad.search.problem import SearchProblem

LEAST = 1e-3
"""Of a design that is refused for what has no measure, or by rounding alone."""


def limit_excess(
    nests: LoopNest,
    cost: NetworkCost,
    values: Float64[Tensor, " design"],
    problem: SearchProblem,
) -> Float64[Tensor, " design"]:
    """Return the log of how far designs ``[design, layer]`` exceed limits, summed over these.

    Limits are those of sizes and area, the levels and meshes of fixed sizes, and the caps on what
    designs do, of each network. 0 for legal designs, ``LEAST`` or more for all others. ``cost`` and
    ``values`` are what ``SearchProblem.evaluate`` returns of the designs.
    """
    refused = values.isinf()
    if not refused.any():
        return torch.zeros_like(values)
    space = problem.hardware
    found = summed_logs(size / space.limit(name) for name, size in cost.hardware.items())
    if space.area_cap is not None:
        found = found + (cost.area_mm2 / space.area_cap).log().clamp(min=0)
    if problem.caps.any:
        energy = problem.goal.totals(cost.layers.energy_pj)
        found = found + problem.caps.excess(energy, problem.latency(nests, cost)).sum(-1)
    if not cost.fits.all():
        found = found + _unfit(nests, cost, problem)
    return torch.where(refused, found.clamp(min=LEAST), 0.0)


def _unfit(nests: LoopNest, cost: NetworkCost, problem: SearchProblem) -> Tensor:
    """Return the log of how far layers exceed what their hardware holds, summed, ``[design]``."""
    nest = analyse_layers(nests, problem.workload.stacks, problem.accelerator)
    hardware = {name: size.unsqueeze(-1) for name, size in cost.hardware.items()}
    found = excess(problem.accelerator.requirements, nest, hardware)
    return found.expand(nests.batch_shape).sum(-1)


def best_first(
    values: Float64[Tensor, " design"], excesses: Float64[Tensor, " design"]
) -> Int64[Tensor, " design"]:
    """Return designs' places, legal ones by their objective, then the others by their excess."""
    by_value = values.argsort(stable=True)
    return by_value[excesses[by_value].argsort(stable=True)]
