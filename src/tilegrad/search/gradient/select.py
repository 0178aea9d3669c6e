"""The best design that the pooled candidates allow: hardware, and a mapping for each layer.

On fixed hardware the layers part: each takes the candidate with the least weighted sum of energy
and latency. For a product such as EDP the weights follow from the totals they lead to; iterating
them ends on the lower convex hull of (energy, latency), where the optimum lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.cost.latency import LatencyModel
from tilegrad.search.budget import Budget
from tilegrad.search.goal import Goal, Weights
from tilegrad.search.gradient.pool import LayerPool
from tilegrad.search.gradient.prices import Prices, prices, settle, weighted
from tilegrad.search.points import Points

ROUNDS = 3


@dataclass(frozen=True)
class Selection:
    """The best mappings on each point: ``value [point]``, ``rows [point, layer]`` of the pools.

    ``figures``, ``energy``, ``latency`` ``[point, network]``. The value is infinite where some
    layer has no candidate that fits.
    """

    value: Tensor
    figures: Tensor
    energy: Tensor
    latency: Tensor
    rows: Tensor


def select(
    pools: Sequence[LayerPool],
    points: Points,
    goal: Goal,
    model: LatencyModel,
    budget: Budget,
) -> Selection:
    """Return the best selection of pooled candidates on each point, unless time runs out."""
    layers = []
    for pool in pools:
        budget.check()
        layers.append(prices(pool.sums, points, model))
    weights = _first_weights(layers, goal)
    best: Selection | None = None
    for _ in range(ROUNDS):
        budget.check()
        settle(layers, goal.by_layer(weights), 0.0)
        found = _pick(layers, points, goal, weights, budget)
        weights = goal.costs(found.energy, found.latency)
        best = found if best is None else _better(best, found, goal)
    assert best is not None
    return best


def _first_weights(layers: Sequence[Prices], goal: Goal) -> Weights:
    energy = goal.gathered([layer.energy.amin(1) for layer in layers])
    latency = goal.gathered([layer.guess.amin(1) for layer in layers])
    return goal.costs(energy, latency)


def _pick(
    layers: Sequence[Prices], points: Points, goal: Goal, weights: Weights, budget: Budget
) -> Selection:
    energies, latencies, rows = [], [], []
    for layer, each in zip(layers, goal.by_layer(weights), strict=True):
        budget.check()
        row = weighted(layer.energy, layer.latency, each).argmin(1, keepdim=True)
        energies.append(layer.energy.gather(1, row).squeeze(1))
        latencies.append(layer.latency.gather(1, row).squeeze(1))
        rows.append(row.squeeze(1))
    energy, latency = goal.gathered(energies), goal.gathered(latencies)
    figures = goal.figures(energy, latency, points.area)
    return Selection(goal.joined(figures), figures, energy, latency, torch.stack(rows, 1))


def _better(old: Selection, new: Selection, goal: Goal) -> Selection:
    """Return the better mappings of each network on each point."""
    improved = new.figures < old.figures
    figures = torch.where(improved, new.figures, old.figures)
    return Selection(
        goal.joined(figures),
        figures,
        torch.where(improved, new.energy, old.energy),
        torch.where(improved, new.latency, old.latency),
        torch.where(improved[:, goal.network], new.rows, old.rows),
    )
