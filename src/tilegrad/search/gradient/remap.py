"""Layers mapped anew by partial mappings, on the hardware that was found: deep hierarchies' end.

Polishing solves blocks of dims around one mapping per layer and point, and on hierarchies of many
levels the best mapping is many blocks away. The exact mapper's partial mappings are many at once,
but on one hardware point: mapping anew and choosing the hardware for what was found take turns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from tilegrad.errors import ConfigError
from tilegrad.search.gradient.chooser import Chooser, PooledDesign
from tilegrad.search.gradient.polish import candidates
from tilegrad.search.gradient.pool import LayerPool, merge, price
from tilegrad.search.hardware import HardwareSpace
from tilegrad.search.points import hardware_points, stacked
from tilegrad.search.problem import SearchProblem
from tilegrad.search.tables import LayerTable

POINTS, NEIGHBOURS, FINAL = "points", "neighbours", "final"

COARSE, FINE = 200, 1000
"""Partial mappings kept at each boundary between levels: to compare hardware, and to end with."""

DEEP = 5
"""Levels from which polishing with free sizes is not enough; with four it ends at the optimum."""

SHRINK, SHRINKS = 0.8, 24
"""By how much memories shrink in a step, and how often, to make room for what grew."""

CONVERGED = 1e-4
"""Relative gain of a fine pass, or of a round of polishing, below which it is the last."""

SWEEPS = 2
"""How often neighbours of the best hardware are looked at, at most."""

PASSES = 3
"""How often all layers are mapped anew finely, at most."""


def remappable(problem: SearchProblem) -> bool:
    """Return whether layers are to be mapped anew: the nest tells the latency, and room is left."""
    return (problem.hardware.settled or is_deep(problem)) and problem.learned is None


def is_deep(problem: SearchProblem) -> bool:
    """Return whether the hierarchy has many levels."""
    return len(problem.accelerator.levels) >= DEEP


@dataclass
class Pass:
    """All layers mapped anew on one hardware point, as it is saved between units of work.

    ``prices [layer]`` of a cycle [pJ] and ``known [layer]`` costs there [pJ]; ``best``: the best
    hardware so far; ``later``: points still to come; ``phase``: ``POINTS``, their best one's
    ``NEIGHBOURS``, or ``FINAL``, finely at the best; ``number``: how often that was done;
    ``value``: the best objective when it began; ``layer`` is the next one.
    """

    pools: list[LayerPool]
    hardware: dict[str, float]
    prices: list[float]
    known: list[float]
    best: dict[str, float]
    later: list[dict[str, float]]
    phase: str
    number: int
    value: float
    layer: int = 0

    def pack(self) -> dict[str, Any]:
        """Return tensors, numbers, lists and dicts that ``unpack`` makes the pass of."""
        return {**vars(self), "pools": [pool.pack() for pool in self.pools]}

    @classmethod
    def unpack(cls, packed: Mapping[str, Any]) -> Pass:
        """Invert ``pack``; what else ``packed`` holds does not matter."""
        own = {each.name: packed[each.name] for each in fields(cls)}
        return cls(**{**own, "pools": [LayerPool.unpack(tensors) for tensors in packed["pools"]]})


def first_pass(
    chooser: Chooser, pools: list[LayerPool], found: Sequence[Mapping[str, float]]
) -> Pass | None:
    """Begin: at the hardware found, the best one first, and at the template's own sizes."""
    space = chooser.space
    if space.settled:
        fixed = dict(space.fixed)
        return _pass(chooser, pools, fixed, [fixed], FINAL)
    points = [dict(sizes) for sizes in found]
    if space.own is not None and space.own not in points:
        points.append(space.own)
    return _pass(chooser, pools, points[0], points, POINTS) if points else None


def next_pass(chooser: Chooser, now: Pass, best: PooledDesign) -> Pass | None:
    """Return what follows a pass after which ``best`` is the best of the candidates, if anything.

    All points in turn, then neighbours of the best of them while they gain, then the best of all
    finely while that gains.
    """
    gained = best.value < now.value * (1 - CONVERGED)
    turns = [(now.later, now.phase, now.number, now.value)]
    if now.phase == POINTS:
        turns.append((neighbours(chooser.space, best.hardware), NEIGHBOURS, 0, best.value))
    elif now.phase == NEIGHBOURS and gained and now.number + 1 < SWEEPS:
        near = neighbours(chooser.space, best.hardware)
        turns.append((near, NEIGHBOURS, now.number + 1, best.value))
    if now.phase != FINAL:
        turns.append(([best.hardware], FINAL, 0, best.value))
    elif gained and now.number + 1 < PASSES:
        turns.append(([best.hardware], FINAL, now.number + 1, best.value))
    passes = (_pass(chooser, now.pools, best.hardware, *turn) for turn in turns)
    return next((each for each in passes if each is not None), None)


def neighbours(space: HardwareSpace, sizes: Mapping[str, float]) -> list[dict[str, float]]:
    """Return points with one free parameter halved or doubled, within the limits.

    Where that makes the area too large, all sizes of memories shrink alike.
    """
    points = []
    for name in sizes:
        for scale in () if name in space.fixed else (0.5, 2.0):
            least = space.accelerator.parameters[name].minimum
            changed = max(least, min(space.limit(name), round(sizes[name] * scale)))
            point = _within_area(space, {**sizes, name: changed})
            if point is not None and point != sizes:
                points.append(point)
    return points


def _within_area(space: HardwareSpace, sizes: dict[str, float]) -> dict[str, float] | None:
    """Return the sizes, those of memories scaled down until the limits hold; None if never."""
    for power in range(SHRINKS):
        point = dict(sizes)
        for name in space.plan.sizes:
            if name not in space.fixed:
                least = space.accelerator.parameters[name].minimum
                point[name] = max(least, float(int(sizes[name] * SHRINK**power)))
        if bool(space.within(stacked([point])).all()):
            return point
    return None


def _pass(
    chooser: Chooser,
    pools: list[LayerPool],
    best: dict[str, float],
    points: list[dict[str, float]],
    phase: str,
    number: int = 0,
    value: float | None = None,
) -> Pass | None:
    """Return the pass at the first of the points where each layer has a candidate, if any."""
    if not points:
        return None
    hardware, *later = points
    found = chooser.at(pools, hardware)
    if found is None:
        return _pass(chooser, pools, best, later, phase, number, value)
    point = hardware_points(chooser.space.accelerator, stacked([hardware]))
    priced = [
        price(pool.sums[row : row + 1], point) for pool, row in zip(pools, found.rows, strict=True)
    ]
    energies, latencies = ([each[at][:, 0] for each in priced] for at in (0, 1))
    goal = chooser.goal
    weights = goal.by_layer(goal.costs(goal.gathered(energies), goal.gathered(latencies)))
    cycles = [float(for_latency / for_energy) for for_energy, for_latency in weights]
    known = [
        float(energy) + cycle * float(latency)
        for energy, cycle, latency in zip(energies, cycles, latencies, strict=True)
    ]
    begun = found.value if value is None else value
    return Pass(pools, hardware, cycles, known, best, later, phase, number, begun)


def remapped(problem: SearchProblem, table: LayerTable, now: Pass, layer: int) -> LayerPool:
    """Return a layer's candidates, with the mapping that the partial mappings lead to.

    Layers that the mapper does not take stay as they are.
    """
    from tilegrad.search.exact.mapper.mapper import LayerMapper

    kept = FINE if now.phase == FINAL else COARSE
    try:
        mapper = LayerMapper(problem.accelerator, table.problem, now.hardware)
        nest = mapper.best(now.prices[layer], now.known[layer], kept).nest
    except ConfigError:
        return now.pools[layer]
    if nest is None:
        return now.pools[layer]
    factors = table.factors(nest).unsqueeze(0)
    return merge([now.pools[layer], candidates(table, factors, problem.model)])
