"""Pictures of a sweep: every setting with its seeds, or the course of a search."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tilegrad.report.theme import MAIN_COLOUR, themed
from tilegrad.sweeps.record import COMPLETE
from tilegrad.sweeps.study import RISING
from tilegrad.sweeps.table import SEED, grouped

SHOWN = 40
"""Settings in a picture; the best ones where there are more."""


@themed
def settings_plot(jobs: pd.DataFrame, varied: Sequence[str], figures: Sequence[str]) -> Figure:
    """Return the first figure, and the seconds, of every setting: a point per seed, the median."""
    done = jobs[jobs.status == COMPLETE]
    settings = [name for name in varied if name != SEED]
    groups = grouped(done, settings)
    first = figures[0]
    order = np.argsort([_badness(first, part[first].median()) for _, part in groups])
    chosen = [groups[place] for place in sorted(order[:SHOWN])]
    seconds = [name for name in figures if name.endswith("seconds")][:1]
    panels = [first, *(name for name in seconds if name != first)]
    figure = Figure(figsize=(6 * len(panels), 1.5 + 0.35 * len(chosen)), layout="constrained")
    for place, name in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), place + 1)
        _points(axes, [part[name].to_numpy(np.float64) for _, part in chosen], name)
        labels = [", ".join(f"{k}={v}" for k, v in setting.items()) for setting, _ in chosen]
        axes.set_yticks(range(len(chosen)), labels if place == 0 else [""] * len(chosen))
    return figure


def _points(axes: Axes, values: Sequence[NDArray[np.float64]], name: str) -> None:
    for place, found in enumerate(values):
        axes.plot(found, [place] * len(found), "o", color=MAIN_COLOUR, alpha=0.4)
        if np.isfinite(found).any():
            axes.plot([np.nanmedian(found)], [place], "|", color="black", markersize=14)
    axes.set_ylim(len(values) - 0.5, -0.5)
    if name.endswith("seconds") and all((found > 0).all() for found in values):
        axes.set_xscale("log")
    axes.set_xlabel(name)
    axes.grid(True, axis="x", alpha=0.25)


@themed
def trials_plot(jobs: pd.DataFrame, varied: Sequence[str], figures: Sequence[str]) -> Figure:  # noqa: ARG001
    """Return the first figure of every trial of a search, and the best so far."""
    done = jobs[jobs.status == COMPLETE].dropna(subset=[figures[0]])
    values = done[figures[0]].to_numpy(np.float64)
    best = np.maximum.accumulate if _rises(figures[0]) else np.minimum.accumulate
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot(done.job, values, "o", color=MAIN_COLOUR, alpha=0.5, label="trial")
    axes.step(done.job, best(values), where="post", color="black", label="best so far")
    axes.set_xlabel("trial")
    axes.set_ylabel(figures[0])
    axes.grid(True, alpha=0.25)
    axes.legend()
    return figure


def _rises(figure: str) -> bool:
    return figure.rpartition(".")[2] in RISING


def _badness(figure: str, value: float) -> float:
    return -value if _rises(figure) else value
