"""Mappings that keep to caps on latency and power: a cycle's price, and the layers in between.

As a cycle's price rises a network's latency falls and its energy grows, so does its power: where
the best mappings exceed a cap, the price nearest to theirs is sought at which none is exceeded.
Power is energy over time, so that under a cap of it a cycle may be worth something: its price falls
below 0, to what the cap allows a cycle to spend. What that leaves of a cap is used up by single
layers: first those that keep the mappings of a price before, then any that gain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

PASSES = 2
"""How often every layer is looked at by itself in the end."""


def within_caps(
    best: Selection, layers: Sequence[Prices], points: Points, goal: Goal, budget: Budget
) -> Selection:
    """Return selections that keep to the caps, where ``best`` does not and some price does."""
    priced = _slower_or_faster(best, goal, goal.caps.pj_per_cycle if _any_price(layers) else 0.0)
    near = torch.zeros_like(best.energy)
    far = torch.ones_like(near)
    before = best
    for halving in range(HALVINGS + 1):
        budget.check()
        share = far if halving == 0 else (near + far) / 2
        weights = (torch.ones_like(near), priced(share))
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
    filled = _filled_up(best, before, layers, points, goal)
    return _exchanged(filled, layers, points, goal, budget)


def _any_price(layers: Sequence[Prices]) -> bool:
    """Return whether all latencies are known, and not those alone that a price above 0 asks for."""
    return all(layer.settled for layer in layers)


def _slower_or_faster(best: Selection, goal: Goal, rate: float) -> Callable[[Tensor], Tensor]:
    """Return prices of a cycle by how far they are from the best mappings' own, up to 1.

    Faster where latency exceeds its cap. Else slower, down to ``-rate``, where the power is least:
    by a share of a pJ that the cap, ``E - rate * L``, has in what is minimised.
    """
    for_energy, for_latency = goal.costs(best.energy, best.latency)
    price = (for_latency / for_energy).nan_to_num(1.0, 1.0, 1.0)
    slow = best.latency <= goal.caps.cycles
    rate = rate if rate < torch.inf else 0.0

    def priced(share: Tensor) -> Tensor:
        energy = (1 - share) * for_energy * best.energy + share
        cycles = (1 - share) * for_latency * best.energy - share * rate
        slower = (cycles / energy).nan_to_num(1.0, 1.0, 1.0)
        return torch.where(slow, slower, price * (SPAN * share).exp())

    return priced


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


def _exchanged(
    best: Selection, layers: Sequence[Prices], points: Points, goal: Goal, budget: Budget
) -> Selection:
    """Return ``best`` with each layer's best candidate, the others as they are, a few times."""
    energy, latency, rows = best.energy.clone(), best.latency.clone(), best.rows.clone()
    figures = best.figures.clone()
    counted = list(zip(goal.network.tolist(), goal.counts, layers, strict=True))
    for place, (network, count, layer) in PASSES * [*enumerate(counted)]:
        budget.check()
        own = rows[:, place : place + 1]
        e, t = (
            (total[:, network, None] + count * (each - each.gather(1, own))).unsqueeze(-1)
            for total, each in ((energy, layer.energy), (latency, layer.latency))
        )
        tried = goal.judged(e, t, points.area.unsqueeze(-1)).squeeze(-1)
        least, row = tried.nan_to_num(torch.inf, torch.inf).min(1)
        take = least < figures[:, network]
        row = torch.where(take, row, own.squeeze(1))
        for total, each in ((energy, e), (latency, t)):
            there = each[..., 0].gather(1, row.unsqueeze(1)).squeeze(1)
            total[:, network] = torch.where(take, there, total[:, network])
        figures[:, network] = torch.where(take, least, figures[:, network])
        rows[:, place] = row
    return Selection(goal.joined(figures), figures, best.price, energy, latency, rows)
