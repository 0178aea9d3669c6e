"""Whether what a cell shows bounds it, and whether what it shows is so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import inf

from tilegrad.errors import DataError
from tilegrad.verify.certificate import Cell, Lines
from tilegrad.verify.costs import area
from tilegrad.verify.rows import LayerRows, Machine

POWERS = {"edp": (1, 1, 0), "energy": (1, 0, 0), "latency": (0, 1, 0), "area-delay": (0, 1, 1)}
"""Powers of energy, latency and area in each objective."""

CLOSE = 1e-8
"""Relative rounding of bounds."""


def least_area(machine: Machine, cell: Cell) -> float:
    """Return the area of a cell's smallest hardware."""
    return area(machine.accelerator, {name: low for name, (low, _) in cell.ends.items()})


def check_arithmetic(cell: Cell, place: int, objective: str, machine: Machine) -> None:
    """Refuse a bound that is higher than the lines that a cell shows make it."""
    if cell.bound is None:
        return
    if not cell.shown:
        raise DataError(f"cells.{place}: shows nothing for its bound")
    there = least_area(machine, cell) ** POWERS[objective][2]
    found = min(least_product(lines, objective) for lines in cell.shown) * there
    if cell.bound > found * (1 + CLOSE):
        raise DataError(f"cells.{place}.bound is {cell.bound!r}; its lines make {found!r}")


def least_product(lines: Lines, objective: str) -> float:
    """Return the least figure of the region that lines leave: at a corner (quasi-concave)."""
    a, b, _ = POWERS[objective]
    known = sorted(
        (inf if price is None else price, sum(values))
        for price, values in zip(lines.prices, lines.values, strict=True)
    )
    ends = dict(known)
    if b == 0:
        return float(ends.get(0.0, 0.0) ** a)
    if a == 0:
        return float(ends.get(inf, 0.0) ** b)
    if 0.0 not in ends or inf not in ends:
        return 0.0
    return min(energy**a * latency**b for energy, latency in _corners(known))


def _corners(known: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    for (price, value), (higher, above) in pairwise(known):
        latency = above if higher == inf else (above - value) / (higher - price)
        yield max(0.0, value - price * latency), max(0.0, latency)


def check_lines(cell: Cell, place: int, rows: Sequence[LayerRows], machine: Machine) -> None:
    """Refuse a cell whose lines lie above what some mapping costs there."""
    for lines in cell.shown:
        for price, values in zip(lines.prices, lines.values, strict=True):
            if len(values) != len(rows):
                raise DataError(f"cells.{place}: has {len(values)} layers of {len(rows)}")
            for index, (value, layer) in enumerate(zip(values, rows, strict=True)):
                least = layer.least(cell.ends, price, filling=index == lines.filled)
                if least is None:
                    continue
                least *= layer.problem.count
                if value > least * (1 + CLOSE):
                    raise DataError(
                        f"cells.{place}: layer {layer.problem.name!r} has mappings of "
                        f"{least!r} at the price {price!r}, below its {value!r}"
                    )
    _check_filled(cell, place, rows, machine)


def _check_filled(cell: Cell, place: int, rows: Sequence[LayerRows], machine: Machine) -> None:
    """Refuse a cell that leaves out a layer which can fill its meshes."""
    filled = {lines.filled for lines in cell.shown}
    if not filled or -1 in filled:
        return
    if not any(cell.ends[n][0] > machine.accelerator.parameters[n].minimum for n in machine.meshes):
        raise DataError(f"cells.{place}: no layer has to fill meshes so small")
    for index, layer in enumerate(rows):
        if index not in filled and layer.least(cell.ends, None, filling=True) is not None:
            raise DataError(
                f"cells.{place}: layer {layer.problem.name!r} can fill the meshes, and is left out"
            )


def check_empty(
    cell: Cell,
    place: int,
    rows: Sequence[LayerRows],
    machine: Machine,
    caps: Mapping[str, float | None],
) -> None:
    """Refuse a cell that holds designs where it says that it holds none."""
    cap = caps.get("area_mm2")
    if cap is not None and least_area(machine, cell) > cap:
        return
    if all(layer.least(cell.ends, None) is not None for layer in rows):
        free = [name for name in machine.meshes if name not in machine.fixed]
        if all(layer.least(cell.ends, None, filling=True) is None for layer in rows) and free:
            return
        raise DataError(f"cells.{place}: has no bound, and holds designs")
