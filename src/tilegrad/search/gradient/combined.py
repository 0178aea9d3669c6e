"""Under caps: the best combinations of candidates, searched as the proof does, and their hardware.

A price of a cycle leaves what single layers' steps leave of a cap: of few layers that is some
percent, and other hardware may be best where it is used up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from tilegrad.cost.hardware import Hardware
from tilegrad.search.budget import Budget
from tilegrad.search.goal import Goal
from tilegrad.search.gradient.chooser import PooledDesign
from tilegrad.search.gradient.pool import LayerPool, price
from tilegrad.search.gradient.regions import LOCAL_SCALES, local_region
from tilegrad.search.points import hardware_points, stacked
from tilegrad.search.problem import SearchProblem

CONVERGED = 1e-4
"""Relative gain of a look around the best hardware below which it is the last."""

TURNS = 4
"""How often sizes around the best are looked at, at most."""


def combinations(
    problem: SearchProblem,
    pools: Sequence[LayerPool],
    designs: Sequence[PooledDesign],
    budget: Budget,
) -> list[PooledDesign]:
    """Return the best design on each one's hardware, and for the best one on hardware around it.

    Best first. Where time runs out, designs are as good as they have become until then.
    """
    found = []
    for design in designs:
        found.append(design if budget.over else _better(problem, pools, design, design.hardware))
    if not found or problem.hardware.settled:
        return found
    found.sort(key=lambda each: each.value)
    return [_around(problem, pools, found[0], budget), *found[1:]]


def _around(
    problem: SearchProblem, pools: Sequence[LayerPool], design: PooledDesign, budget: Budget
) -> PooledDesign:
    best = design
    for turn in range(TURNS):
        before = best.value
        region = local_region([best.hardware], problem, turn % len(LOCAL_SCALES))
        for sizes in _points(problem, region):
            if budget.over:
                return best
            best = _better(problem, pools, best, sizes)
        needs = [pool.sums.needs[row] for pool, row in zip(pools, best.rows, strict=True)]
        least = problem.hardware.needed(torch.stack(needs).amax(0))
        for sizes in _points(problem, {name: size.reshape(1) for name, size in least.items()}):
            best = _better(problem, pools, best, sizes)
        if turn and not best.value < before * (1 - CONVERGED):
            break
    return best


def _points(problem: SearchProblem, hardware: Hardware) -> list[dict[str, float]]:
    """Return those of the points ``[point]`` that are within the limits."""
    points = problem.hardware.points(hardware)
    return [] if points is None else [points.at(place) for place in range(len(points))]


def _better(
    problem: SearchProblem,
    pools: Sequence[LayerPool],
    best: PooledDesign,
    sizes: Mapping[str, float],
) -> PooledDesign:
    """Return the best design that candidates make on hardware, if it is better than one known."""
    # Imports a compiler, which searches without caps need not.
    from tilegrad.search.exact.hull import Costs
    from tilegrad.search.exact.networks import least_of_all

    goal = problem.goal
    points = hardware_points(problem.accelerator, stacked([sizes]) if sizes else {})
    rows, energies, latencies = [], [], []
    for pool, count in zip(pools, goal.counts, strict=True):
        energy, latency = (each[0] for each in price(pool.sums, points))
        fitting = (energy < torch.inf).nonzero().flatten()
        if not len(fitting):
            return best
        rows.append(fitting.numpy())
        energies.append((energy[fitting] * count).numpy())
        latencies.append((latency[fitting] * count).numpy())
    starts = np.cumsum([0, *map(len, rows[:-1])])
    costs = Costs(np.concatenate(energies), np.concatenate(latencies), starts)
    enough = best.value / float(points.area[0]) ** goal.objective.area_power
    least = least_of_all(costs, problem.workload.places, goal, enough, whole=True)
    if len(least.rows) < len(pools):
        # Some network has no choice that keeps to the caps.
        return best
    value = _value(goal, costs.energy[least.rows], costs.latency[least.rows], points.area)
    if not value < best.value:
        return best
    places = zip(rows, least.rows - starts, strict=True)
    return PooledDesign(dict(sizes), tuple(int(each[at]) for each, at in places), value)


def _value(goal: Goal, energy: np.ndarray, latency: np.ndarray, area: torch.Tensor) -> float:
    """Return what is minimised, of all executions of each layer ``[layer]``; ``area [1]``."""
    sums = torch.zeros(2, 1, goal.networks, dtype=torch.float64)
    for total, each in zip(sums, (energy, latency), strict=True):
        total.index_add_(1, goal.network, torch.as_tensor(each).unsqueeze(0))
    return float(goal.joined(goal.judged(sums[0], sums[1], area))[0])
