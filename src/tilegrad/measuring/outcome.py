"""The files of measured rounds: how the best measured design improved, as a table and a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from tilegrad.files import write_bytes, write_text
from tilegrad.measuring.record import Record
from tilegrad.report.measured_curves import CURVE, curves_plot
from tilegrad.report.theme import png_bytes
from tilegrad.search.objective import UJ_PER_PJ

COLUMNS = ("measurements", "round", "edp", "energy_uj", "cycles")
PICTURE = "measured.png"


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
        figure = curves_plot(pd.DataFrame(points).assign(setting="", seed=0))
        figure.axes[0].set_title(title)
        write_bytes(directory / PICTURE, png_bytes(figure))
