"""What lies around a found design: other hardware with mappings re-chosen, and random designs.

All of it is quick and local: it says how much a parameter matters, not what a search would find.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from tilegrad.accelerator.possible import possible
from tilegrad.cost.hardware import Hardware
from tilegrad.cost.network import NetworkCost, network_cost
from tilegrad.errors import InfeasibleError
from tilegrad.mapping import LoopNest, stack
from tilegrad.search.budget import Budget, OutOfTimeError
from tilegrad.search.distinct import distinct
from tilegrad.search.gradient.chooser import Chooser
from tilegrad.search.gradient.focus import Focus
from tilegrad.search.gradient.polish import candidates, refine
from tilegrad.search.gradient.pool import LayerPool
from tilegrad.search.hardware import HardwareSpace
from tilegrad.search.objective import UJ_PER_PJ
from tilegrad.search.points import hardware_points
from tilegrad.search.problem import SearchProblem
from tilegrad.search.random import RandomStrategy
from tilegrad.search.state import SearchState
from tilegrad.search.tables import LayerTable

FACTORS = (0.5, 2.0)
"""What each parameter is multiplied by, one at a time."""

MOST_LAYERS = 200
"""Layers up to which mappings are re-chosen."""

ROWS = 100_000
"""Mappings analysed in a round around one design, all layers together."""

ROUNDS = 2
SLACK = 0.02
RANDOM_DESIGNS = 1000
RANDOM_MAPPINGS = 200_000
"""Mappings of single layers that the random designs are made of, at most."""

RECHOSEN = "Mappings re-chosen by a short local search around the design's"


@dataclass(frozen=True)
class Surroundings:
    """Looks around the best design of a search, as long as the running ``budget`` lasts."""

    problem: SearchProblem
    best: LoopNest
    budget: Budget = field(default_factory=Budget)

    def record(self, state: SearchState) -> dict[str, Any]:
        """Return the fields of the record: ``baselines`` and ``sensitivity``.

        Empty where a checkpoint gives the latency: its own search alone is a fair comparison.
        """
        if self.problem.learned is not None:
            return {}
        found: dict[str, list[dict[str, Any]]] = {"baselines": [], "sensitivity": []}
        with suppress(OutOfTimeError):
            for group, variant in self._variants(state):
                found[group].append(variant)
        return found

    def _variants(self, state: SearchState) -> Iterator[tuple[str, dict[str, Any]]]:
        self.budget.check()
        random = self._random(state)
        if random is not None:
            yield "baselines", random
        if len(self.problem.workload.layers) > MOST_LAYERS:
            return
        for group, name, hardware in self._hardware():
            found = rechosen(self.problem, self.best, hardware, self.budget)
            if found is not None:
                yield group, _variant(name, RECHOSEN, hardware, found)

    def _hardware(self) -> Iterator[tuple[str, str, dict[str, float]]]:
        """Yield the hardware to look at: the template's own, then each parameter scaled."""
        cost, _ = self.problem.evaluate(self.best.alone())
        here = {name: float(value) for name, value in cost.hardware.items()}
        parameters = self.problem.accelerator.parameters
        usual = self.problem.accelerator.defaults
        if usual and len(usual) == len(parameters):
            yield "baselines", "the default hardware", usual
        for name, size in here.items():
            for factor in FACTORS:
                scaled = float(int(size * factor))
                if scaled >= parameters[name].minimum:
                    word = "halved" if factor < 1 else "doubled"
                    yield "sensitivity", f"{name} {word}", {**here, name: scaled}

    def _random(self, state: SearchState) -> dict[str, Any] | None:
        """Return the best of a few random designs beside what the search had after as many."""
        layers = len(self.problem.workload.layers)
        count = min(RANDOM_DESIGNS, max(1, RANDOM_MAPPINGS // layers))
        drawn = SearchState()
        budget = replace(self.budget, samples=None)
        for _ in RandomStrategy(count).advance(self.problem, drawn, budget, 0):
            pass
        if drawn.best is None:
            return None
        cost, _ = self.problem.evaluate(drawn.best.alone())
        before = [edp for samples, _, edp in state.history if samples <= count]
        reached = f"; the search had {before[-1]:.4g} uJ*cycles after as many" if before else ""
        made = f"The best of as many random mappings and the hardware they need{reached}"
        hardware = {name: float(value) for name, value in cost.hardware.items()}
        return _variant(f"{count:,} random designs", made, hardware, cost)


def rechosen(
    problem: SearchProblem,
    nests: LoopNest,
    hardware: Mapping[str, float],
    budget: Budget,
) -> NetworkCost | None:
    """Return the cost ``[1]`` on other hardware, mappings re-chosen around ``nests [layer]``.

    None where that hardware holds no mapping of every layer. Caps of the problem do not count.
    Time may run out: mappings that are only half re-chosen would say something else.
    """
    if not possible(problem.accelerator, hardware):
        return None
    space = HardwareSpace(problem.accelerator, dict(hardware), {}, None)
    there = replace(problem, hardware=space)
    try:
        there.check_feasible()
    except InfeasibleError:
        return None
    sizes = {name: torch.tensor([size], dtype=torch.float64) for name, size in hardware.items()}
    pools = pools_around(there, nests, sizes, budget)
    chooser = Chooser(there.hardware, problem.goal, problem.model, budget)
    designs = chooser.best(pools, sizes, 1) if all(map(len, pools)) else []
    budget.check()
    if not designs:
        return None
    picked = [
        table.nests(pool.factors[row : row + 1], pool.order[row : row + 1])
        for table, pool, row in zip(there.tables, pools, designs[0].rows, strict=True)
    ]
    cost, value = there.evaluate(stack(picked).each(lambda tensor: tensor.movedim(0, 1)))
    return cost if float(value[0]) < float("inf") else None


def pools_around(
    there: SearchProblem,
    nests: LoopNest,
    sizes: Hardware,
    budget: Budget,
    slack: float = SLACK,
) -> list[LayerPool]:
    """Return candidates of every layer for the hardware ``sizes`` ``[1]``, near ``nests [layer]``.

    ``slack``: how much more than the best they may cost, as a share.
    """
    accelerator, workload = there.accelerator, there.workload
    given = there.hardware.given
    cost = network_cost(nests.alone(), workload, accelerator, given)
    goal = there.goal
    weights = goal.costs(goal.totals(cost.layers.energy_pj), goal.totals(cost.layers.cycles))
    networks = goal.network.tolist()
    focus = Focus(hardware_points(accelerator, sizes), weights, slack, there.model)
    rows = ROWS // len(there.tables)
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        layers = range(len(there.tables))
        found = threads.map(
            lambda at: _around(there.tables[at], nests[at], rows, focus.of(networks[at]), budget),
            layers,
        )
        return list(found)


def _around(
    table: LayerTable, nest: LoopNest, rows: int, focus: Focus, budget: Budget
) -> LayerPool:
    """Return candidates of a layer near its mapping and near the smallest one, that fit."""
    here = table.factors(nest).unsqueeze(0)
    start = torch.cat([table.neighbours(here), torch.ones_like(here)])
    pool = focus.prune(candidates(table, start[distinct(start)], focus.model))
    for _ in range(ROUNDS if len(pool) else 0):
        pool, _ = refine(table, pool, focus, rows, budget)
    return pool


def _variant(
    name: str, made: str, hardware: Mapping[str, float], cost: NetworkCost
) -> dict[str, Any]:
    energy, cycles = float(cost.energy_pj[0]) * UJ_PER_PJ, int(cost.cycles[0])
    return {
        "name": name,
        "made": made,
        "hardware": {n: int(v) if v.is_integer() else v for n, v in hardware.items()},
        "edp": energy * cycles,
        "energy_uj": energy,
        "cycles": cycles,
        "area_mm2": float(cost.area_mm2.reshape(-1)[0]),
    }
