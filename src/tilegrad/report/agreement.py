"""The picture of evaluated costs against references: how near, and how many rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tilegrad.evaluate.accuracy import Accuracy
from tilegrad.report.theme import MAIN_COLOUR, themed
from tilegrad.tables.table_layout import QUANTITIES, Quantity

UNITS = {"cycles": "cycles", "energy": "uJ", "edp": "uJ*cycles"}

LEAST, MOST = 1e-8, 1e3
"""Errors in % that the axis spans: what double precision leaves of a table's digits, and misses."""

WITHIN = 1e-2
"""Error whose share of rows a title states, as DOSA's paper does."""


@themed
def agreement(path: Path, accuracy: Mapping[str, Accuracy]) -> Figure:
    """Return values of an evaluation's file against references, and the errors' distribution.

    ``accuracy`` is what it found, of quantities by name; each has references.
    """
    quantities = [each for each in QUANTITIES if each.name in accuracy]
    figure = Figure(figsize=(4.6 * len(quantities), 8), layout="constrained")
    panels = figure.subplots(2, len(quantities), squeeze=False)
    for (upper, lower), each in zip(panels.T, quantities, strict=True):
        columns = [each.column, each.reference, each.error_column]
        read = pq.read_table(path, columns=columns)
        value, reference, error = (read[name].to_numpy().astype(float) for name in columns)
        _scatter(upper, each, value, reference * each.scale)
        _distribution(lower, np.sort(np.abs(error[~np.isnan(error)])), accuracy[each.name])
    return figure


def _scatter(
    axes: Axes, quantity: Quantity, value: NDArray[np.float64], reference: NDArray[np.float64]
) -> None:
    shown = (value > 0) & (reference > 0)
    value, reference = value[shown], reference[shown]
    axes.hexbin(reference, value, gridsize=80, bins="log", xscale="log", yscale="log", mincnt=1)
    limits = [*axes.get_xlim(), *axes.get_ylim()]
    ends = [min(limits), max(limits)]
    axes.plot(ends, ends, color="#666666", linewidth=1, linestyle=":")
    axes.set_xlabel(f"{quantity.reference} [{UNITS[quantity.name]}]")
    axes.set_ylabel(f"{quantity.column} evaluated [{UNITS[quantity.name]}]")
    axes.set_title(f"{quantity.name}: {len(value):,} rows")


def _distribution(axes: Axes, errors: NDArray[np.float64], found: Accuracy) -> None:
    """``errors`` are relative and sorted."""
    percent = 100 * errors
    share = 100 * np.arange(1, len(errors) + 1) / len(errors)
    # The last step goes on to the end: where no row is off, the line would else be the axis itself.
    ends = np.clip([LEAST, *percent, MOST], LEAST, MOST)
    axes.step(ends, [0, *share, 100], where="post", color=MAIN_COLOUR, linewidth=2)
    axes.axvline(100 * WITHIN, color="#666666", linewidth=1, linestyle=":")
    axes.set_xscale("log")
    axes.set_xlim(LEAST, MOST)
    axes.set_ylim(0, 103)
    axes.set_xlabel("relative error [%]")
    axes.set_ylabel("rows no further off [%]")
    within = f"{100 * found.shares[WITHIN]:.4g} % within {100 * WITHIN:g} %"
    worst = 100 * abs(found.worst.error) if found.worst else float("nan")
    axes.set_title(f"{within}\nmean {100 * found.mean:.2g} %, worst {worst:.2g} %")
    axes.grid(True, alpha=0.25)
