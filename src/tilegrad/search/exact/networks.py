"""Bounds of several networks at once: on given hardware they part; rules grow with each of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
import torch

from tilegrad.search.exact.capped import Capped, least_capped
from tilegrad.search.exact.hull import Costs, Floats, Least, least_product
from tilegrad.search.goal import Goal


def least_of_all(
    costs: Costs,
    places: Sequence[range],
    goal: Goal,
    enough: float,
    prices: tuple[float, ...] = (),
    exact: bool = True,
    whole: bool = False,
) -> Least:
    """Bound what a goal makes of the networks' figures at an area of 1.

    ``places``: each network's layers. Ends early where the bound reaches ``enough``; ``prices`` are
    tried first; ``exact``: as in ``Capped``; ``whole``: as in ``least_capped``. Of several networks
    each is bounded to its end. The bound is infinite where one of them has no choice that keeps to
    the caps.
    """
    if goal.rule is None:
        return _least(costs, goal, enough, prices, exact, whole)
    ends = np.append(costs.starts, len(costs.energy))
    parts, rows = [], []
    for layers in places:
        first, last = int(ends[layers.start]), int(ends[layers.stop])
        starts = costs.starts[layers.start : layers.stop] - first
        part = Costs(costs.energy[first:last], costs.latency[first:last], starts)
        least = _least(part, goal, inf, (), exact, whole=True)
        parts.append(least)
        rows.append(least.rows + first)
    return Least(
        joined(goal, [part.bound for part in parts]),
        joined(goal, [part.value for part in parts]),
        np.concatenate(rows),
        (),
        parts=tuple(parts),
    )


def _least(
    costs: Costs, goal: Goal, enough: float, prices: tuple[float, ...], exact: bool, whole: bool
) -> Least:
    powers = (goal.objective.energy_power, goal.objective.latency_power)
    if goal.caps.any:
        return least_capped(costs, Capped(powers, goal.caps, exact), enough, prices, whole)
    return least_product(costs, powers, enough, prices)


def joined(goal: Goal, figures: Sequence[float]) -> float:
    """Return what a goal makes of the networks' figures."""
    if goal.rule is None:
        return figures[0]
    return float(goal.joined(torch.tensor(figures, dtype=torch.float64)))


def by_network(places: Sequence[range], layers: Floats) -> list[float]:
    """Return the sums of figures ``[layer]`` over each network's layers."""
    return [float(layers[each.start : each.stop].sum()) for each in places]
