"""The picture of evaluated costs against references: how near, and how many rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tilegrad.report.theme import MAIN_COLOUR, themed
from tilegrad.tables.table_layout import QUANTITIES, Quantity

UNITS = {"cycles": "cycles", "energy": "uJ", "edp": "uJ*cycles"}

LEAST, MOST = 1e-8, 1e3
"""Errors in % that the axis spans: what double precision leaves of a table's digits, and misses."""

WITHIN = 1.0
"""Error in % whose share of rows a title states, as DOSA's paper does."""


def compared(path: Path) -> tuple[Quantity, ...]:
    """Return the quantities of an evaluation's Parquet file that have references."""
    names = set(pq.read_schema(path).names)
    found = [each for each in QUANTITIES if each.error_column in names]
    errors = pq.read_table(path, columns=[each.error_column for each in found])
    return tuple(each for each in found if errors[each.error_column].null_count < len(errors))


@themed
def agreement(path: Path, quantities: Sequence[Quantity]) -> Figure:
    """Return each quantity's values against its references, and its errors' distribution."""
    figure = Figure(figsize=(4.6 * len(quantities), 8), layout="constrained")
    panels = figure.subplots(2, len(quantities), squeeze=False)
    for (upper, lower), each in zip(panels.T, quantities, strict=True):
        columns = [each.column, each.reference, each.error_column]
        read = pq.read_table(path, columns=columns)
        value, reference, error = (read[name].to_numpy().astype(float) for name in columns)
        _scatter(upper, each, value, reference * each.scale)
        _distribution(lower, np.sort(np.abs(error[~np.isnan(error)])))
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


def _distribution(axes: Axes, errors: NDArray[np.float64]) -> None:
    """``errors`` are relative and sorted."""
    percent = 100 * errors
    share = 100 * np.arange(1, len(errors) + 1) / len(errors)
    # The last step goes on to the end: where no row is off, the line would else be the axis itself.
    ends = np.clip([LEAST, *percent, MOST], LEAST, MOST)
    axes.step(ends, [0, *share, 100], where="post", color=MAIN_COLOUR, linewidth=2)
    axes.axvline(WITHIN, color="#666666", linewidth=1, linestyle=":")
    axes.set_xscale("log")
    axes.set_xlim(LEAST, MOST)
    axes.set_ylim(0, 103)
    axes.set_xlabel("relative error [%]")
    axes.set_ylabel("rows no further off [%]")
    within = f"{100 * (percent <= WITHIN).mean():.4g} % within {WITHIN:g} %"
    axes.set_title(f"{within}\nmean {percent.mean():.2g} %, worst {percent[-1]:.2g} %")
    axes.grid(True, alpha=0.25)
