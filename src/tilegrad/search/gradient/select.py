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

    ``figures``, ``energy``, ``latency`` ``[point, network]``, and how many pJ a cycle weighed
    there (``price``). The value is infinite where some layer has no candidate that fits, and above
    all others where a cap is exceeded.
    """

    value: Tensor
    figures: Tensor
    price: Tensor
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
    return selected(layers, points, goal, budget)


def selected(layers: Sequence[Prices], points: Points, goal: Goal, budget: Budget) -> Selection:
    """Return the best selection of the layers' priced candidates on each point.

    Under caps the weights are sought at which each network keeps to them (``capped``). Time may
    run out.
    """
    weights = _first_weights(layers, goal)
    best: Selection | None = None
    for _ in range(ROUNDS):
        budget.check()
        settle(layers, goal.by_layer(weights), 0.0)
        found = pick(layers, points, goal, weights, budget)
        weights = goal.costs(found.energy, found.latency)
        best = found if best is None else better(best, found, goal)
    assert best is not None
    if not goal.caps.any:
        return best
    from tilegrad.search.gradient.capped import within_caps

    return within_caps(best, layers, points, goal, budget)


def _first_weights(layers: Sequence[Prices], goal: Goal) -> Weights:
    energy = goal.gathered([layer.energy.amin(1) for layer in layers])
    latency = goal.gathered([layer.guess.amin(1) for layer in layers])
    return goal.costs(energy, latency)


def pick(
    layers: Sequence[Prices], points: Points, goal: Goal, weights: Weights, budget: Budget
) -> Selection:
    """Return each layer's candidate of the least weighted cost on each point."""
    energies, latencies, rows = [], [], []
    for layer, each in zip(layers, goal.by_layer(weights), strict=True):
        budget.check()
        row = weighted(layer.energy, layer.latency, each).argmin(1, keepdim=True)
        energies.append(layer.energy.gather(1, row).squeeze(1))
        latencies.append(layer.latency.gather(1, row).squeeze(1))
        rows.append(row.squeeze(1))
    energy, latency = goal.gathered(energies), goal.gathered(latencies)
    figures = goal.judged(energy, latency, points.area)
    price = weights[1] / weights[0]
    return Selection(goal.joined(figures), figures, price, energy, latency, torch.stack(rows, 1))


def better(old: Selection, new: Selection, goal: Goal) -> Selection:
    """Return the better mappings of each network on each point."""
    improved = new.figures < old.figures
    figures = torch.where(improved, new.figures, old.figures)
    return Selection(
        goal.joined(figures),
        figures,
        torch.where(improved, new.price, old.price),
        torch.where(improved, new.energy, old.energy),
        torch.where(improved, new.latency, old.latency),
        torch.where(improved[:, goal.network], new.rows, old.rows),
    )
