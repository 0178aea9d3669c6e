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
from tilegrad.search.gradient.pool import LayerPool
from tilegrad.search.gradient.prices import Prices, prices, settle, weighted
from tilegrad.search.objective import Objective
from tilegrad.search.points import Points

ROUNDS = 3


@dataclass(frozen=True)
class Selection:
    """The best mappings on each point: ``value``, ``energy``, ``latency`` ``[point]``, ``rows``.

    ``rows [point, layer]`` are rows of the layers' pools; the value is infinite where some layer
    has no candidate that fits.
    """

    value: Tensor
    energy: Tensor
    latency: Tensor
    rows: Tensor


def select(
    pools: Sequence[LayerPool],
    counts: Tensor,
    points: Points,
    objective: Objective,
    model: LatencyModel,
    budget: Budget,
) -> Selection:
    """Return the best selection of pooled candidates on each point, unless time runs out."""
    layers = []
    for pool in pools:
        budget.check()
        layers.append(prices(pool.sums, points, model))
    weights = _first_weights(layers, counts, objective)
    best: Selection | None = None
    for _ in range(ROUNDS):
        budget.check()
        settle(layers, weights, 0.0)
        found = _pick(layers, counts, points, objective, weights, budget)
        weights = objective.weights(found.energy, found.latency)
        best = found if best is None else _better(best, found)
    assert best is not None
    return best


def _first_weights(
    layers: Sequence[Prices], counts: Tensor, objective: Objective
) -> tuple[Tensor, Tensor]:
    energy = sum(n * layer.energy.amin(1) for n, layer in zip(counts, layers, strict=True))
    latency = sum(n * layer.guess.amin(1) for n, layer in zip(counts, layers, strict=True))
    return objective.weights(torch.as_tensor(energy), torch.as_tensor(latency))


def _pick(
    layers: Sequence[Prices],
    counts: Tensor,
    points: Points,
    objective: Objective,
    weights: tuple[Tensor, Tensor],
    budget: Budget,
) -> Selection:
    energy = latency = torch.zeros(len(points), dtype=torch.float64)
    rows = []
    for count, layer in zip(counts, layers, strict=True):
        budget.check()
        e, t = layer.energy, layer.latency
        row = weighted(e, t, weights).argmin(1, keepdim=True)
        energy = energy + count * e.gather(1, row).squeeze(1)
        latency = latency + count * t.gather(1, row).squeeze(1)
        rows.append(row.squeeze(1))
    value = objective.value(energy, latency, points.area)
    return Selection(value, energy, latency, torch.stack(rows, 1))


def _better(old: Selection, new: Selection) -> Selection:
    improved = new.value < old.value
    return Selection(
        torch.where(improved, new.value, old.value),
        torch.where(improved, new.energy, old.energy),
        torch.where(improved, new.latency, old.latency),
        torch.where(improved.unsqueeze(-1), new.rows, old.rows),
    )
