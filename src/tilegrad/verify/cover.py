"""Whether boxes cover all hardware that a design could have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import prod

import numpy as np

from tilegrad.errors import DataError
from tilegrad.verify.certificate import Cell
from tilegrad.verify.rows import Ends, LayerRows, Machine
from tilegrad.workload import Problem


def widths(
    machine: Machine, layers: Iterable[Problem], caps: Mapping[str, float | None]
) -> dict[str, list[float]]:
    """Return the widths of free meshes that some mapping needs, ascending, by parameter."""
    layers, found = list(layers), {}
    for name, places in machine.meshes.items():
        if name in machine.fixed:
            continue
        least = machine.accelerator.parameters[name].minimum
        sizes = {least}
        for layer, (index, axis) in product(layers, places):
            fanout = machine.accelerator.running(layer.shape).levels[index].fanout[axis]
            each = [_divisors(layer.bounds[dim]) for dim in fanout.dims]
            sizes |= {max(least, float(prod(factors))) for factors in product(*each)}
        most = caps.get(name)
        found[name] = sorted(size for size in sizes if most is None or size <= most)
    return found


def check_meshes(cells: Sequence[Cell], choices: Mapping[str, Sequence[float]]) -> None:
    """Refuse cells whose ranges of meshes leave out one that mappings can need."""
    for mesh in product(*choices.values()):
        point = dict(zip(choices, mesh, strict=True))
        if not any(_holds(cell, point) for cell in cells):
            named = ", ".join(f"{name} {size:g}" for name, size in point.items())
            raise DataError(f"cells: none is for {named}")


def _holds(cell: Cell, point: Mapping[str, float]) -> bool:
    return all(cell.ends[n][0] <= size <= cell.ends[n][1] for n, size in point.items())


def check_sizes(
    cells: Sequence[Cell],
    machine: Machine,
    caps: Mapping[str, float | None],
    rows: Sequence[LayerRows],
) -> None:
    """Refuse cells of one range of meshes that leave out sizes which a design there can need."""
    names = [name for name in machine.buffers if name not in machine.fixed]
    least, most = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for layer in rows:
        needs = [layer.needs(name) for name in names]
        for name, (low, high) in zip(names, needs, strict=True):
            least[name], most[name] = max(least[name], low), max(most[name], high)
    grid = []
    for name in names:
        low, high = np.ceil(least[name]), np.ceil(most[name])
        cap = caps.get(name)
        if cap is not None:
            high = max(low, min(high, cap))
        ends = {cell.ends[name][0] for cell in cells} | {cell.ends[name][1] + 1 for cell in cells}
        grid.append(sorted({float(low), *(end for end in ends if low <= end <= high)}))
    for corner in product(*grid):
        point = dict(zip(names, corner, strict=True))
        if not any(_holds(cell, point) for cell in cells):
            named = ", ".join(f"{name} {size:g}" for name, size in point.items())
            raise DataError(f"cells: none covers {named} there")


def mesh_ends(cell: Cell, names: Iterable[str]) -> Ends:
    """Return a cell's range of meshes."""
    return {name: cell.ends[name] for name in names}


def _divisors(bound: int) -> list[int]:
    return [each for each in range(1, bound + 1) if bound % each == 0]
