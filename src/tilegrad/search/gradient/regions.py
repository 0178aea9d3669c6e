"""Hardware points to look at: all over the range first, around good designs later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import torch
from torch import Tensor

from tilegrad.cost.hardware import Hardware
from tilegrad.search.gradient.pool import LayerPool
from tilegrad.search.problem import SearchProblem

GLOBAL_RATIO = 4.0
"""Ratio between neighbouring sizes of the first, global look."""

LOCAL_SCALES = ((0.5, 0.75, 1.0, 1.3, 1.8), (0.8, 0.92, 1.0, 1.08, 1.25))
"""Sizes around a design, coarse and fine rounds in turn."""

MOST_POINTS = 160
"""Points of a region; larger grids are thinned out evenly."""


def global_region(problem: SearchProblem, pools: Sequence[LayerPool], near: Hardware) -> Hardware:
    """Return a grid over all sizes that could be useful, and the points ``near [point]``.

    The smallest hardware that holds a candidate of every layer is among them.
    """
    least = torch.stack([pool.sums.needs.amin(0) for pool in pools]).amax(0)
    smallest = problem.hardware.needed(least)
    points = [{name: float(value) for name, value in smallest.items()}]
    for meshes in problem.meshes:
        sizes = _sizes(problem, pools, meshes)
        grid = product(*sizes.values())
        points += [{**meshes, **dict(zip(sizes, values, strict=True))} for values in grid]
    for index in range(max((len(values) for values in near.values()), default=0)):
        points.append({name: float(value[index]) for name, value in near.items()})
    return _region(points, problem)


def local_region(
    designs: Sequence[Mapping[str, float]], problem: SearchProblem, number: int
) -> Hardware:
    """Return grids of sizes around designs; ``number`` is the round's."""
    scales = LOCAL_SCALES[number % len(LOCAL_SCALES)]
    names = problem.hardware.plan.sizes
    points = [
        {**design, **{n: design[n] * s for n, s in zip(names, chosen, strict=True)}}
        for design in designs
        for chosen in product(scales, repeat=len(names))
    ]
    return _region(points, problem)


def _sizes(
    problem: SearchProblem, pools: Sequence[LayerPool], meshes: Mapping[str, float]
) -> dict[str, list[float]]:
    """Return for each size a geometric series, from the most that is of use to the least."""
    most_needs = torch.stack([pool.sums.needs.amax(0) for pool in pools]).amax(0)
    sizes: dict[str, list[float]] = {}
    for name, (least, size) in problem.hardware.ends(most_needs, meshes).items():
        sizes[name] = [size]
        while size > least:
            size = max(least, size / GLOBAL_RATIO)
            sizes[name].append(size)
    return sizes


def _region(points: Sequence[Mapping[str, float]], problem: SearchProblem) -> Hardware:
    """Return distinct points in whole units, fixed values kept, limits respected."""
    space = problem.hardware
    if not problem.accelerator.parameters:
        return {}
    rows = []
    for point in points:
        row = []
        for name, parameter in problem.accelerator.parameters.items():
            if name in space.fixed:
                row.append(space.fixed[name])
                continue
            size = max(parameter.minimum, float(torch.tensor(point[name]).ceil()))
            row.append(min(size, space.limit(name)))
        rows.append(row)
    grid: Tensor = torch.tensor(rows, dtype=torch.float64).unique(dim=0)
    names = list(problem.accelerator.parameters)
    if space.area_cap is not None:
        # Else most of the points that thinning leaves of a large grid are too large.
        allowed = space.within(dict(zip(names, grid.unbind(1), strict=True)))
        grid = grid[allowed] if allowed.any() else grid
    if len(grid) > MOST_POINTS:
        grid = grid[torch.linspace(0, len(grid) - 1, MOST_POINTS).long()]
    own = None if space.area_cap is None else space.own
    if own is not None:
        grid = torch.cat([grid, torch.tensor([[own[name] for name in names]], dtype=torch.float64)])
    return dict(zip(names, grid.unbind(1), strict=True))
