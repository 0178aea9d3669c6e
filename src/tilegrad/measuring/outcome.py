"""The files of measured rounds: how the best measured design improved, as a table and a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from tilegrad.files import write_bytes, write_text
from tilegrad.measuring.record import Record
from tilegrad.report.theme import MAIN_COLOUR, png_bytes, themed
from tilegrad.search.objective import UJ_PER_PJ

COLUMNS = ("measurements", "round", "edp", "energy_uj", "cycles")
CURVE, PICTURE = "measured_curve.csv", "measured.png"


def curve_of(record: Record) -> list[dict[str, float]]:
    """Return the best measured design after each number of measurements that has one.

    EDP in uJ*cycles, energy in uJ, all executions of all layers.
    """
    points = []
    for number in range(1, len(record.rows) + 1):
        best = record.best(number)
        if best is not None:
            energy = best.energy * UJ_PER_PJ
            figures = (number, record.rows[number - 1].round, energy * best.cycles, energy)
            points.append(dict(zip(COLUMNS, (*figures, best.cycles), strict=True)))
    return points


def write_curve(directory: Path, points: Sequence[Mapping[str, float]], title: str) -> None:
    """Write the curve as a table and, where there are points, as a picture."""
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(points)
    write_text(directory / CURVE, text.getvalue())
    if points:
        write_bytes(directory / PICTURE, png_bytes(curve_plot({"": points}, title)))


@themed
def curve_plot(curves: Mapping[str, Sequence[Mapping[str, float]]], title: str) -> Figure:
    """Return step curves of the best measured EDP against measurements, one for each name."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name, points in curves.items():
        axes.step(
            [point["measurements"] for point in points],
            [point["edp"] for point in points],
            where="post",
            label=name,
            color=MAIN_COLOUR if len(curves) == 1 else None,
            linewidth=2,
        )
    if len(curves) > 1:
        axes.legend()
    axes.set_xlabel("measured programs")
    axes.set_ylabel("EDP of the best measured design [uJ*cycles]")
    axes.set_title(title)
    axes.grid(True, alpha=0.25)
    return figure
