"""The programs that are worth a measurement: distinct calls of each layer near a design."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.cost.analytical import layer_cost
from tilegrad.cost.latency import model_footprint
from tilegrad.machines.gemmini.generator import Generator, generator
from tilegrad.mapping import LoopNest
from tilegrad.mapping.loopnest import concatenate
from tilegrad.nest import analyse
from tilegrad.search.budget import Budget
from tilegrad.search.gradient.pool import LayerPool
from tilegrad.search.problem import SearchProblem
from tilegrad.search.surroundings import pools_around
from tilegrad.search.tables import LayerTable
from tilegrad.targets.gemmini.layers import Tiled, not_calibrated
from tilegrad.workload import Problem

SLACK = 0.3
"""How much more than the best a program may cost, by the prediction, to be measured."""

MOST = 200
"""Programs of a layer to choose from."""

ONE_DEVIATION = 0.6827
"""Level of the interval that reaches one standard deviation of a normal distribution."""


@dataclass(frozen=True)
class Programs:
    """Distinct programs of one layer: ``nests [row, level, dim]``, the energy [pJ] of each.

    ``mean`` and ``deviation [row]`` are of the log of the cycles, as predicted; ``calls [row]``
    say what runs.
    """

    problem: Problem
    nests: LoopNest
    energy: Tensor
    mean: Tensor
    deviation: Tensor
    calls: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.calls)


def programs_near(problem: SearchProblem, design: LoopNest) -> list[Programs]:
    """Return the programs near a design ``[layer]``, the design's own first, of each layer.

    The hardware is fixed. A layer that Gemmini's library cannot run has none.
    """
    sizes = {
        name: torch.tensor([float(size)], dtype=torch.float64)
        for name, size in problem.hardware.fixed.items()
    }
    pools = pools_around(problem, design, sizes, Budget(), SLACK)
    built = generator(problem.hardware.fixed)
    return [
        _programs(problem, layer, design[layer], pool, built) for layer, pool in enumerate(pools)
    ]


def _call(layer: Problem, nest: LoopNest, built: Generator) -> str | None:
    """Return what runs a mapping ``[level, dim]``; None: a smaller tile would, or nothing."""
    found = Tiled(layer, nest, built)
    return str(found.call) if found.excess <= 1 else None


def _programs(
    problem: SearchProblem, place: int, own: LoopNest, pool: LayerPool, built: Generator
) -> Programs:
    table = problem.tables[place]
    nests = concatenate([own.alone(), table.nests(pool.factors, pool.order)])
    energy = energies(problem, table.problem, nests)
    mean, deviation = _log_cycles(problem, table, nests)
    for_energy, for_latency = problem.goal.objective.weights(energy[0], mean[0].exp())
    cost = for_energy * energy + for_latency * mean.exp()
    cost[0] = 0
    calls = _calls(table.problem, nests, cost.argsort(stable=True), built)
    rows = torch.tensor([*calls.values()], dtype=torch.int64)
    chosen = nests[rows], energy[rows], mean[rows], deviation[rows]
    return Programs(table.problem, *chosen, tuple(calls))


def _calls(layer: Problem, nests: LoopNest, rows: Tensor, built: Generator) -> dict[str, int]:
    """Return the first of the rows that make each call, at most ``MOST`` calls."""
    if not_calibrated(layer) is not None:
        return {}
    tiles = (nests.temporal[:, :-1].prod(-2) * nests.spatial.prod(-2).prod(-2)).tolist()
    seen, calls = set(), dict[str, int]()
    for row in rows.tolist():
        tile = tuple(tiles[row])
        if tile in seen or len(calls) == MOST:
            continue
        seen.add(tile)
        call = _call(layer, nests[row], built)
        if call is not None:
            calls.setdefault(call, row)
    return calls


def energies(problem: SearchProblem, layer: Problem, nests: LoopNest) -> Tensor:
    """Return the energy [pJ] of mappings ``[row, level, dim]`` of a layer on the fixed hardware."""
    strides = torch.tensor(layer.strides, dtype=torch.float64)
    cost = layer_cost(
        analyse(nests, strides, problem.accelerator), problem.accelerator, _sizes(problem)
    )
    return cost.energy_pj.expand(nests.batch_shape)


def _log_cycles(
    problem: SearchProblem, table: LayerTable, nests: LoopNest
) -> tuple[Tensor, Tensor]:
    """Return mean and deviation of the log of the cycles, as predicted, ``[row]`` each."""
    sizes, model = _sizes(problem), problem.learned
    assert model is not None
    sums = model_footprint(model, nests, table.bounds, table.strides, problem.accelerator)
    sums = sums.expand(len(nests.temporal))
    with torch.no_grad():
        cycles = model.predicted(sums, problem.accelerator, sizes)
        reach = model.factor(sums, problem.accelerator, sizes, ONE_DEVIATION)
    assert reach is not None
    return cycles.log(), reach.log()


def _sizes(problem: SearchProblem) -> dict[str, float]:
    return {name: float(size) for name, size in problem.hardware.fixed.items()}
