"""Mappings that keep to caps on latency and power: a cycle's price, and the layers in between.

As a cycle's price rises a network's latency falls and its energy grows, so does its power: where
the best mappings exceed a cap, the price nearest to theirs is sought at which none is exceeded.
What that leaves of a cap is used up by single layers that keep the mappings of a price before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from tilegrad.search.budget import Budget
from tilegrad.search.goal import Goal
from tilegrad.search.gradient.prices import Prices, settle
from tilegrad.search.gradient.select import Selection, better, pick
from tilegrad.search.points import Points

SPAN = 30.0
"""How far prices are sought from the best mappings' own, in e-folds."""

HALVINGS = 14


def within_caps(
    best: Selection, layers: Sequence[Prices], points: Points, goal: Goal, budget: Budget
) -> Selection:
    """Return selections that keep to the caps, where ``best`` does not and some price does."""
    for_energy, for_latency = goal.costs(best.energy, best.latency)
    price = (for_latency / for_energy).nan_to_num(1.0, 1.0, 1.0)
    # Slower where power exceeds its cap, else faster.
    slow = best.latency <= goal.caps.cycles
    step = torch.where(slow, -SPAN, SPAN)
    near, far = torch.zeros_like(price), torch.ones_like(price)
    before = best
    for halving in range(HALVINGS + 1):
        budget.check()
        share = far if halving == 0 else (near + far) / 2
        weights = (torch.ones_like(price), price * (step * share).exp())
        settle(layers, goal.by_layer(weights), 0.0)
        found = pick(layers, points, goal, weights, budget)
        met = goal.caps.met(found.energy, found.latency)
        near, far = torch.where(met, near, share), torch.where(met, share, far)
        if halving == 0:
            # Nothing further is sought where the end exceeds a cap too.
            near = torch.zeros_like(near)
        else:
            before = _where(~met, found, before, goal)
        best = better(best, found, goal)
    return _filled_up(best, before, layers, points, goal)


def _where(chosen: Tensor, new: Selection, old: Selection, goal: Goal) -> Selection:
    """Return one of two selections for each point and network ``[point, network]``."""
    return replace(
        old,
        energy=torch.where(chosen, new.energy, old.energy),
        latency=torch.where(chosen, new.latency, old.latency),
        rows=torch.where(chosen[:, goal.network], new.rows, old.rows),
    )


def _filled_up(
    best: Selection, other: Selection, layers: Sequence[Prices], points: Points, goal: Goal
) -> Selection:
    """Return ``best`` with layers as in ``other`` where that is better and keeps to the caps."""
    energy, latency, rows = best.energy.clone(), best.latency.clone(), best.rows.clone()
    figures = best.figures.clone()
    counted = zip(goal.network.tolist(), goal.counts, layers, strict=True)
    for place, (network, count, layer) in enumerate(counted):
        pair = torch.stack([rows[:, place], other.rows[:, place]], 1)
        e, t = layer.energy.gather(1, pair), layer.latency.gather(1, pair)
        energies, latencies = energy.clone(), latency.clone()
        energies[:, network] += count * (e[:, 1] - e[:, 0])
        latencies[:, network] += count * (t[:, 1] - t[:, 0])
        tried = goal.judged(energies, latencies, points.area)[:, network]
        take = tried < figures[:, network]
        figures[:, network] = torch.where(take, tried, figures[:, network])
        energy[:, network] = torch.where(take, energies[:, network], energy[:, network])
        latency[:, network] = torch.where(take, latencies[:, network], latency[:, network])
        rows[:, place] = torch.where(take, pair[:, 1], pair[:, 0])
    return Selection(goal.joined(figures), figures, best.price, energy, latency, rows)
