"""The optimum of a tiny network by enumeration: every mapping of every layer, every pair of them.

Shares nothing with the search but the analysis of nests and their cost: the hardware that a design
needs comes from a walk of its loops.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from itertools import permutations, product
from math import prod

import torch
from torch import Tensor

from tests.helpers import counts
from tests.helpers_literal import holding, spread, words_kept
from tilegrad.accelerator import AXES, Accelerator
from tilegrad.cost import area_mm2, layer_cost
from tilegrad.mapping import LoopNest, concatenate, unit_mapping
from tilegrad.nest import analyse
from tilegrad.workload import Problem, Workload

MOVES = ("reads", "fills", "updates")


def every_mapping(
    problem: Problem, accelerator: Accelerator, width: int, padded: bool = False
) -> LoopNest:
    """Return all mappings ``[row]`` of one layer, spatial factors up to ``width``.

    ``padded``: also those whose factors do not divide a bound, rounded up at the outermost level.
    """
    splits = _covers if padded else _splits
    per_dim = [
        list(splits(bound, _places(accelerator, dim), width))
        for dim, bound in enumerate(problem.bounds)
    ]
    return concatenate([_with_orders(list(choice), accelerator) for choice in product(*per_dim)])


Place = tuple[int, int]
"""A level, and a mesh axis or -1 for its temporal loops."""


def _places(accelerator: Accelerator, dim: int) -> list[Place]:
    places = [(index, -1) for index, level in enumerate(accelerator.levels) if dim in level.loops]
    for index, level in enumerate(accelerator.levels):
        fanout = level.fanout.items()
        places += [(index, AXES.index(axis)) for axis, fan in fanout if dim in fan.dims]
    return places


def _splits(bound: int, places: list[Place], width: int) -> Iterator[dict[Place, int]]:
    for factors in product(range(1, bound + 1), repeat=len(places)):
        split = dict(zip(places, factors, strict=True))
        wide = any(factor > width for (_, axis), factor in split.items() if axis >= 0)
        if torch.tensor(factors).prod() == bound and not wide:
            yield split


def _covers(bound: int, places: list[Place], width: int) -> Iterator[dict[Place, int]]:
    outermost = max(place for place in places if place[1] < 0)
    inner = [place for place in places if place != outermost]
    for factors in product(range(1, bound + 1), repeat=len(inner)):
        split = dict(zip(inner, factors, strict=True))
        wide = any(factor > width for (_, axis), factor in split.items() if axis >= 0)
        if not wide:
            yield {**split, outermost: -(-bound // prod(factors))}


def _with_orders(choice: list[dict[Place, int]], accelerator: Accelerator) -> LoopNest:
    """Return one nest in every order of its loops above 1."""
    nest = unit_mapping(len(accelerator.levels), count=len(choice))
    for dim, split in enumerate(choice):
        for (level, axis), factor in split.items():
            if axis < 0:
                nest.temporal[level, dim] = factor
            else:
                nest.spatial[level, axis, dim] = factor
    orders = [_orders((nest.temporal[level] > 1).tolist()) for level in range(len(nest.temporal))]
    every = torch.tensor(list(product(*orders)))
    return LoopNest(
        nest.temporal.expand(len(every), -1, -1), nest.spatial.expand(len(every), -1, -1, -1), every
    )


def _orders(used: list[bool]) -> list[tuple[int, ...]]:
    idle = tuple(dim for dim, loop in enumerate(used) if not loop)
    loops = [dim for dim, loop in enumerate(used) if loop]
    return [(*idle, *order) for order in permutations(loops)]


def undominated(
    problem: Problem, accelerator: Accelerator, width: int, padded: bool = False
) -> LoopNest:
    """Return one mapping for each set of needs and accesses that no other one undercuts."""
    nests = every_mapping(problem, accelerator, width, padded)
    named = counts(analyse(nests, torch.tensor(problem.strides, dtype=torch.float64), accelerator))
    rows = len(nests.temporal)
    kept = [n for n in named if n.endswith(("tile", "axis 0", "axis 1", "instances", *MOVES))]
    columns = torch.stack([named[name].expand(rows) for name in (*kept, "steps")], -1)
    unique, inverse = columns.unique(dim=0, return_inverse=True)
    first = torch.full((len(unique),), rows).scatter_reduce(0, inverse, torch.arange(rows), "amin")
    # Sorted, so that what undercuts a row comes before it; all rows differ.
    best: list[int] = []
    for row, column in enumerate(unique):
        if not (unique[best] <= column).all(-1).any():
            best.append(row)
    return nests[first[best]]


def optimum(
    workload: Workload, accelerator: Accelerator, width: int, padded: bool = False
) -> dict[str, float]:
    """Return the least value of each objective over all designs of one or two layers."""
    energy, cycles, area = every_design(workload, accelerator, width, padded)
    energy, cycles = energy.sum(-1), cycles.sum(-1)
    values = {
        "edp": energy * cycles,
        "energy": energy,
        "latency": cycles,
        "area-delay": cycles * area,
    }
    return {name: float(each.min()) for name, each in values.items()}


def every_design(
    workload: Workload, accelerator: Accelerator, width: int, padded: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Return energy [pJ] and cycles ``[design, layer]`` of all executions, and the area [mm2].

    Of all designs of one or two layers, each on the least hardware that it needs.
    """
    layers = [undominated(problem, accelerator, width, padded) for problem in workload]
    rows = [torch.arange(len(nests.temporal)) for nests in layers]
    designs = torch.cartesian_prod(*rows).view(-1, len(layers))
    needs = [
        _needs(nests, problem, accelerator) for nests, problem in zip(layers, workload, strict=True)
    ]
    found = [_costs(layers, needs, part, workload, accelerator) for part in designs.split(20_000)]
    energy, cycles, area = (torch.cat(each) for each in zip(*found, strict=True))
    return energy, cycles, area


def optimum_over(
    workload: Workload, accelerator: Accelerator, width: int, grid: dict[str, list[float]]
) -> float:
    """Return the least EDP [pJ*cycles] over all hardware of a grid and all designs that fit it.

    Of one or two layers; spatial factors up to ``width``.
    """
    layers = [undominated(problem, accelerator, width) for problem in workload]
    strides = [torch.tensor(each.strides, dtype=torch.float64) for each in workload]
    nests = [analyse(*each, accelerator) for each in zip(layers, strides, strict=True)]
    every = torch.cartesian_prod(
        *(torch.tensor(sizes, dtype=torch.float64) for sizes in grid.values())
    )
    points = dict(zip(grid, every.unbind(-1), strict=True))
    held = [
        torch.stack([holding(nest, problem.strides, accelerator, points) for nest in rows])
        for rows, problem in zip(map(_each, layers), workload, strict=True)
    ]
    least = float("inf")
    for point in range(len(every)):
        hardware = {name: float(each[point]) for name, each in points.items()}
        parts = []
        for nest, fits, problem in zip(nests, held, workload, strict=True):
            cost, fitting = layer_cost(nest, accelerator, hardware), fits[:, point]
            energy, cycles = (part.expand(len(fits)) for part in (cost.energy_pj, cost.cycles))
            parts.append((energy[fitting] * problem.count, cycles[fitting] * problem.count))
        energy, cycles = (reduce(_every_sum, each) for each in zip(*parts, strict=True))
        if len(energy):
            least = min(least, float((energy * cycles).min()))
    return least


def _each(nests: LoopNest) -> list[LoopNest]:
    return [nests[row] for row in range(len(nests.temporal))]


def _every_sum(one: Tensor, other: Tensor) -> Tensor:
    return (one.unsqueeze(1) + other).flatten()


def _needs(nests: LoopNest, problem: Problem, accelerator: Accelerator) -> Tensor:
    """Return the widest axis of each mapping and the words it keeps by level, ``[row, column]``."""
    levels = range(len(accelerator.levels))
    return torch.tensor(
        [
            [
                max(spread(nests[row], level, axis) for level in levels for axis in AXES),
                *words_kept(nests[row], problem.strides, accelerator),
            ]
            for row in range(len(nests.temporal))
        ],
        dtype=torch.float64,
    )


def _hardware(needed: Tensor, accelerator: Accelerator) -> dict[str, Tensor]:
    """Return Gemmini's whole sizes for the needs of designs ``[design, column]``."""
    width, *words = needed.unbind(-1)
    pe_dim = width.clamp(min=2)
    bits = [level.word_bits for level in accelerator.levels]
    column, scratchpad = (words[level] * bits[level] / 8 / 1024 for level in (1, 2))
    sizes = {"scratchpad_kb": scratchpad, "accumulator_kb": column * pe_dim}
    return {"pe_dim": pe_dim, **{name: kb.clamp(min=1).ceil() for name, kb in sizes.items()}}


def _costs(
    layers: list[LoopNest],
    needs: list[Tensor],
    designs: Tensor,
    workload: Workload,
    accelerator: Accelerator,
) -> tuple[Tensor, Tensor, Tensor]:
    picked = [nests[rows] for nests, rows in zip(layers, designs.unbind(1), strict=True)]
    nests = LoopNest(
        *(
            torch.stack([getattr(nest, part) for nest in picked], 1)
            for part in ("temporal", "spatial", "order")
        )
    )
    nest = analyse(nests, workload.strides, accelerator)
    needed = torch.stack([each[rows] for each, rows in zip(needs, designs.unbind(1), strict=True)])
    hardware = _hardware(needed.amax(0), accelerator)
    cost = layer_cost(nest, accelerator, {n: v.unsqueeze(-1) for n, v in hardware.items()})
    area = torch.as_tensor(area_mm2(accelerator, hardware)).expand(len(designs))
    return cost.energy_pj * workload.counts, cost.cycles * workload.counts, area
