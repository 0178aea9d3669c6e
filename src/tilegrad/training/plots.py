"""Pictures of a training run: predicted against measured, importances."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tilegrad.files import write_bytes
from tilegrad.predictors import TARGETS
from tilegrad.report.theme import MAIN_COLOUR, png_bytes, themed

_SHOWN = 20
_FEW = 5000
_WIDE = 100
"""Ratio from which positive values are shown on a logarithmic axis."""


@themed
def predicted_against_measured(
    predictions: pd.DataFrame, target: str, title: str, metrics: Mapping[str, Any]
) -> Figure:
    """Return a log-log picture of the test rows; the diagonal is a perfect prediction.

    A few thousand rows are points, coloured by layer; more are counted in hexagons.
    """
    measured = predictions[f"measured.{target}"].to_numpy(np.float64)
    predicted = predictions[f"predicted.{target}"].to_numpy(np.float64)
    figure = Figure(figsize=(6.5, 6), layout="constrained")
    axes = figure.subplots()
    axes.set_xscale("log")
    axes.set_yscale("log")
    if len(measured) <= _FEW:
        axes.scatter(measured, predicted, c=predictions.layer, cmap="turbo", s=8, alpha=0.6)
    else:
        counted = axes.hexbin(
            measured, predicted, xscale="log", yscale="log", bins="log", gridsize=80, mincnt=1
        )
        figure.colorbar(counted, ax=axes, label="schedules")
    ends = [min(measured.min(), predicted.min()), max(measured.max(), predicted.max())]
    axes.plot(ends, ends, color="black", linewidth=1, linestyle="--")
    axes.set_xlabel(f"measured {target} [{TARGETS[target]}]")
    axes.set_ylabel(f"predicted {target} [{TARGETS[target]}]")
    axes.set_title(f"{title}\n{_caption(metrics)}", fontsize=11)
    axes.grid(True, alpha=0.25)
    return figure


def _caption(metrics: Mapping[str, Any]) -> str:
    shown = {
        "pair_accuracy_micro": "pairs {:.1%}",
        "spearman_layer": "Spearman in layer {:.3f}",
        "mape": "MAPE {:.1%}",
    }
    return ", ".join(
        form.format(metrics[name]) for name, form in shown.items() if metrics[name] is not None
    )


@themed
def importance_bars(importances: Mapping[str, Mapping[str, float]], title: str) -> Figure:
    """Return bars of the columns that matter most, one panel for each measure."""
    figure = Figure(figsize=(6 * len(importances), 6), layout="constrained")
    panels = figure.subplots(1, len(importances), squeeze=False)[0]
    for axes, (measure, values) in zip(panels, importances.items(), strict=True):
        ranked = sorted(values.items(), key=lambda item: abs(item[1]))[-_SHOWN:]
        names, shown = zip(*ranked, strict=True)
        axes.barh(range(len(names)), shown, color=MAIN_COLOUR)
        axes.set_yticks(range(len(names)), names, fontsize=9)
        if min(shown) > 0 and shown[-1] > _WIDE * shown[0]:
            axes.set_xscale("log")
        axes.set_xlabel(measure)
        axes.grid(True, axis="x", alpha=0.25)
    figure.suptitle(f"{title}: importances")
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG."""
    write_bytes(path, png_bytes(figure))
