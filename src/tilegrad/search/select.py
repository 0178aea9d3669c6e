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

from tilegrad.search.objective import Objective
from tilegrad.search.pool import LayerPool, Points, price

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
    pools: Sequence[LayerPool], counts: Tensor, points: Points, objective: Objective
) -> Selection:
    """Return the best selection of pooled candidates on each point."""
    prices = [price(pool.sums, points) for pool in pools]
    weights = _first_weights(prices, counts, objective)
    best: Selection | None = None
    for _ in range(ROUNDS):
        found = _pick(prices, counts, points, objective, weights)
        weights = objective.weights(found.energy, found.latency)
        best = found if best is None else _better(best, found)
    assert best is not None
    return best


def _first_weights(
    prices: Sequence[tuple[Tensor, Tensor]], counts: Tensor, objective: Objective
) -> tuple[Tensor, Tensor]:
    energy = sum(count * e.amin(1) for count, (e, _) in zip(counts, prices, strict=True))
    latency = sum(count * t.amin(1) for count, (_, t) in zip(counts, prices, strict=True))
    return objective.weights(torch.as_tensor(energy), torch.as_tensor(latency))


def _pick(
    prices: Sequence[tuple[Tensor, Tensor]],
    counts: Tensor,
    points: Points,
    objective: Objective,
    weights: tuple[Tensor, Tensor],
) -> Selection:
    energy = latency = torch.zeros(len(points), dtype=torch.float64)
    rows = []
    for count, (e, t) in zip(counts, prices, strict=True):
        cost = e * weights[0].unsqueeze(-1) + t * weights[1].unsqueeze(-1)
        row = cost.nan_to_num(nan=torch.inf).argmin(1, keepdim=True)
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
