"""Whether what a cell shows bounds it, and whether what it shows is so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

from tilegrad.errors import DataError
from tilegrad.verify.certificate import Cell, Lines, Shown
from tilegrad.verify.choices import is_any_below
from tilegrad.verify.costs import area
from tilegrad.verify.goal import POWERS, Goal
from tilegrad.verify.rows import LayerRows, Machine

CLOSE = 1e-8
"""Relative rounding of bounds."""

Places = Sequence[range]
"""The layers of each network."""


def least_area(machine: Machine, cell: Cell) -> float:
    """Return the area of a cell's smallest hardware."""
    return area(machine.accelerator, {name: low for name, (low, _) in cell.ends.items()})


def check_arithmetic(
    cell: Cell, place: int, goal: Goal, machine: Machine, networks: Places
) -> None:
    """Refuse a bound that is higher than what a cell shows makes it.

    Without a bound caps leave no design there, which is shown too, or none fits.
    """
    where = f"cells.{place}"
    for shown in cell.shown:
        if len(shown.networks) != len(networks):
            raise DataError(f"{where}: has {len(shown.networks)} networks of {len(networks)}")
        for lines, layers in zip(shown.networks, networks, strict=True):
            _check_shape(lines, len(layers), where)
    if cell.bound is None:
        return
    if not cell.shown:
        raise DataError(f"{where}: shows nothing for its bound")
    there = least_area(machine, cell) ** POWERS[goal.objective][2]
    found = min(_least(shown, goal) for shown in cell.shown) * there
    if cell.bound > found * (1 + CLOSE):
        raise DataError(f"{where}.bound is {cell.bound!r}; its lines make {found!r}")


def _check_shape(lines: Lines, layers: int, where: str) -> None:
    if len(lines.values) != len(lines.prices):
        raise DataError(f"{where}: has values of {len(lines.values)} of {len(lines.prices)} prices")
    for values in lines.values:
        if len(values) != layers:
            raise DataError(f"{where}: has {len(values)} layers of {layers}")


def _least(shown: Shown, goal: Goal) -> float:
    figures = [max(goal.least(lines.sums), lines.searched or 0.0) for lines in shown.networks]
    return goal.joined(figures)


def check_lines(
    cell: Cell,
    place: int,
    rows: Sequence[LayerRows],
    machine: Machine,
    goal: Goal,
    networks: Places,
) -> None:
    """Refuse a cell whose lines, or searched figures, lie above what some mapping costs there."""
    for shown in cell.shown:
        for lines, layers in zip(shown.networks, networks, strict=True):
            there = [rows[index] for index in layers]
            filled = shown.filled - layers.start
            for index, layer in enumerate(there):
                _check_layer(cell, place, lines.layer(index), layer, index == filled)
            if lines.searched is not None:
                _check_searched(cell, place, lines, there, filled, goal)
    _check_filled(cell, place, rows, machine)


def _check_layer(
    cell: Cell,
    place: int,
    line: Sequence[tuple[float | None, float]],
    layer: LayerRows,
    filling: bool,
) -> None:
    for price, _ in line:
        if price is not None and price < 0 and not layer.slow:
            raise DataError(f"cells.{place}: has the price {price!r} without a cap of power there")
    found = layer.least(cell.ends, [price for price, _ in line], filling)
    for (price, value), each in zip(line, found or [inf] * len(line), strict=True):
        least = each * layer.problem.count
        if value > least + CLOSE * abs(least):
            raise DataError(
                f"cells.{place}: layer {layer.problem.name!r} has mappings of "
                f"{least!r} at the price {price!r}, below its {value!r}"
            )


def _check_searched(
    cell: Cell, place: int, lines: Lines, rows: Sequence[LayerRows], filled: int, goal: Goal
) -> None:
    """Refuse a figure below which there is a choice that keeps to the caps."""
    if not goal.capped or (goal.pj_per_cycle < inf and not all(each.slow for each in rows)):
        raise DataError(f"cells.{place}: has a searched figure where caps tell of no choice")
    costs = [layer.costs(cell.ends, filling=at == filled) for at, layer in enumerate(rows)]
    below = (lines.searched or 0.0) * (1 - CLOSE)
    if all(len(each) for each in costs) and is_any_below(costs, lines.sums, goal, below):
        raise DataError(
            f"cells.{place}: has designs below {lines.searched!r} in {rows[0].problem.name!r} and "
            "the layers with it"
        )


def _check_filled(cell: Cell, place: int, rows: Sequence[LayerRows], machine: Machine) -> None:
    """Refuse a cell that leaves out a layer which can fill its meshes."""
    filled = {shown.filled for shown in cell.shown}
    if not filled or -1 in filled:
        return
    if not any(cell.ends[n][0] > machine.accelerator.parameters[n].minimum for n in machine.meshes):
        raise DataError(f"cells.{place}: no layer has to fill meshes so small")
    for index, layer in enumerate(rows):
        if index not in filled and layer.least(cell.ends, [None], filling=True) is not None:
            raise DataError(
                f"cells.{place}: layer {layer.problem.name!r} can fill the meshes, and is left out"
            )


def check_empty(
    cell: Cell,
    place: int,
    rows: Sequence[LayerRows],
    machine: Machine,
    caps: Mapping[str, float | None],
    goal: Goal,
    networks: Places,
) -> None:
    """Refuse cells that hold designs where they say that they hold none."""
    cap = caps.get("area_mm2")
    if cap is not None and least_area(machine, cell) > cap:
        return
    if any(layer.least(cell.ends, [None]) is None for layer in rows):
        return
    free = [name for name in machine.meshes if name not in machine.fixed]
    if free and all(layer.least(cell.ends, [None], filling=True) is None for layer in rows):
        return
    if cell.shown and min(_least(shown, goal) for shown in cell.shown) == inf:
        check_lines(cell, place, rows, machine, goal, networks)
        return
    raise DataError(f"cells.{place}: has no bound, and holds designs")
