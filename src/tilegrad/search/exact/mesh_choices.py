"""Which widths of meshes can follow from mappings, and how a range of them is divided."""

from __future__ import annotations

from itertools import product
from math import prod

import torch

from tilegrad.accelerator.requirement import Column, Requirement
from tilegrad.cost.hardware import asked
from tilegrad.mapping.factors import divisors
from tilegrad.search.problem import SearchProblem
from tilegrad.workload import Problem

Ends = dict[str, tuple[float, float]]


def mesh_choices(problem: SearchProblem) -> dict[str, list[float]]:
    """Return the sizes of each free parameter of meshes that some mapping needs, ascending."""
    hardware, accelerator = problem.hardware, problem.accelerator
    found: dict[str, list[float]] = {}
    known: list[dict[str, float]] = [dict(hardware.fixed)]
    for step in hardware.plan.steps:
        if step.name not in hardware.plan.meshes or step.name in hardware.fixed:
            continue
        widths = {1.0}
        for place in step.columns:
            widths |= _widths(problem, accelerator.columns[place])
        sizes = set()
        for width in widths:
            needs = [torch.tensor(width, dtype=torch.float64)] * len(accelerator.columns)
            for corner in known:
                sizes.add(float(asked(accelerator, step, needs, corner).ceil()))
        legal = sorted(size for size in sizes if size <= hardware.limit(step.name))
        found[step.name] = legal
        known = [{**corner, step.name: size} for corner in known for size in legal]
    return found


def _widths(problem: SearchProblem, column: Column) -> set[float]:
    """Return the extents over which loops can be spread along a column's meshes."""
    every = (
        _extents(problem, layer, requirement)
        for layer in problem.workload
        for requirement in column.requirements
    )
    return set().union(*every)


def _extents(problem: SearchProblem, layer: Problem, mesh: Requirement) -> set[float]:
    level = problem.accelerator.running(layer.shape).levels[mesh.level]
    each = [divisors(layer.bounds[dim]) for dim in level.fanout[mesh.what].dims]
    return {float(prod(factors)) for factors in product(*each)}


def divided(ends: Ends, choices: dict[str, list[float]], by_halves: bool) -> list[Ends]:
    """Return the parts of a range of meshes: halves, or the widest and all others; itself if none.

    Along the parameter with the most choices left.
    """
    within = {
        name: [size for size in choices[name] if low <= size <= high]
        for name, (low, high) in ends.items()
    }
    name = max(within, key=lambda each: len(within[each]), default=None)
    if name is None or len(within[name]) == 1:
        return [ends]
    sizes = within[name]
    at = len(sizes) // 2 if by_halves else len(sizes) - 1
    parts = sizes[:at], sizes[at:]
    return [{**ends, name: (part[0], part[-1])} for part in parts]
