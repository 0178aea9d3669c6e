"""Pictures of errors: how often intervals hold, and where predictions are off."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tilegrad.report.theme import MAIN_COLOUR, themed


@themed
def calibration_curve(predictions: pd.DataFrame, target: str, title: str) -> Figure:
    """Return the share of test rows within the intervals, against the level they claim."""
    reaching = predictions[f"level.{target}"].to_numpy(np.float64)
    levels = np.linspace(0.02, 0.99, 98)
    shares = [(reaching <= level).mean() for level in levels]
    figure = Figure(figsize=(5.5, 5.5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="black", linewidth=1, linestyle="--", label="as claimed")
    axes.fill_between(
        [0, 1], [-0.03, 0.97], [0.03, 1.03], color="grey", alpha=0.2, label="3 points"
    )
    axes.plot(levels, shares, color=MAIN_COLOUR, label="test rows")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("level of the interval")
    axes.set_ylabel(f"share of rows whose {target} is inside")
    axes.set_title(f"{title}\n{len(reaching):,} rows", fontsize=11)
    axes.grid(True, alpha=0.25)
    axes.legend(loc="upper left")
    return figure


@themed
def errors_by_bottleneck(predictions: pd.DataFrame, target: str, title: str) -> Figure:
    """Return boxes of predicted over measured, for the rows that each bottleneck limits.

    Boxes hold the middle half, whiskers nine tenths of the rows.
    """
    ratio = predictions[f"predicted.{target}"] / predictions[f"measured.{target}"]
    groups = [(name, rows) for name, rows in ratio.groupby(predictions.bottleneck, observed=True)]
    figure = Figure(figsize=(6.5, 1.6 + 0.5 * len(groups)), layout="constrained")
    axes = figure.subplots()
    axes.boxplot(
        [rows.to_numpy(np.float64) for _, rows in groups],
        orientation="horizontal",
        whis=(5, 95),
        showfliers=False,
        medianprops={"color": MAIN_COLOUR, "linewidth": 2},
    )
    names = [f"{name} ({len(rows):,})" for name, rows in groups]
    axes.set_yticks(range(1, len(groups) + 1), names)
    axes.axvline(1, color="black", linewidth=1, linestyle="--")
    axes.set_xlabel(f"predicted / measured {target}")
    axes.set_title(f"{title}\nrows by what is predicted to limit them", fontsize=11)
    axes.grid(True, axis="x", alpha=0.25)
    return figure
