"""The last exact move: every order of the outermost loops, for the mappings of a found design.

The candidate orders leave out those that pay off only where two steps of a sliding window happen
to coincide; for tiles that are settled, all orders can be tried.
"""

from __future__ import annotations

from itertools import permutations

import torch
from torch import Tensor

from tilegrad.cost.latency import model_footprint
from tilegrad.mapping import LoopNest, stack
from tilegrad.search.budget import Budget
from tilegrad.search.gradient.focus import Focus
from tilegrad.search.points import hardware_points
from tilegrad.search.problem import SearchProblem


def reordered(nests: LoopNest, problem: SearchProblem, budget: Budget) -> tuple[LoopNest, int]:
    """Return a design ``[layer]`` with each layer's best DRAM order, and how many were tried.

    Time may run out.
    """
    design = nests.alone()
    cost, _ = problem.evaluate(design)
    hardware = {name: value.reshape(1) for name, value in cost.hardware.items()}
    points = hardware_points(problem.accelerator, hardware)
    energy = problem.goal.totals(cost.layers.energy_pj)
    weights = problem.goal.costs(energy, problem.latency(design, cost))
    focus = Focus(points, weights, 0.0, problem.model)
    best, tried = [], 0
    networks = problem.goal.network.tolist()
    for layer, table in enumerate(problem.tables):
        budget.check()
        nest = nests[layer].over(len(table.bounds))
        orders = _every_order(nest)
        trials = LoopNest(nest.temporal, nest.spatial, orders)
        accelerator = table.space.accelerator
        sums = model_footprint(problem.model, trials, table.bounds, table.strides, accelerator)
        order = orders[int(focus.of(networks[layer]).cost(sums.expand(len(orders)))[0].argmin())]
        best.append(LoopNest(nest.temporal, nest.spatial, order))
        tried += len(orders)
    return stack(best), tried


def _every_order(nest: LoopNest) -> Tensor:
    """Return the orders ``[order, level, position]``: loops of 1 outermost, its own first."""
    loops = (nest.temporal[-1] > 1).tolist()
    idle = [dim for dim, used in enumerate(loops) if not used]
    own = [dim for dim in nest.order[-1].tolist() if loops[dim]]
    outermost = torch.tensor([(*idle, *order) for order in permutations(own)])
    orders = nest.order.expand(len(outermost), -1, -1).clone()
    orders[:, -1] = outermost
    return orders
