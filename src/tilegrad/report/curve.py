"""The picture of a search: EDP of the best design so far against the samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from tilegrad.record import Result
from tilegrad.report.engineering import scientific, typeset
from tilegrad.report.history import History
from tilegrad.report.theme import MAIN_COLOUR, themed

_CLOSEST = 0.07
"""Marks of time stand at least this part of the axis apart."""


@themed
def edp_against_samples(history: History, result: Result) -> Figure:
    """Return a log-log step curve of the EDP of the best design so far; the top axis is time."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    samples = [max(count, 1.0) for count in history.samples]
    end = max(samples[-1], result.samples)
    axes.step(
        [*samples, end],
        [*history.edp, history.edp[-1]],
        where="post",
        color=MAIN_COLOUR,
        linewidth=2,
    )
    axes.plot([end], [history.edp[-1]], "o", color=MAIN_COLOUR)
    _scale(axes, samples[0], end)
    _name(axes, result)
    _name_the_end(axes, end, history.edp[-1])
    _time_axis(axes, [*samples, end], [*history.seconds, result.seconds])
    return figure


def _scale(axes: Axes, first: float, last: float) -> None:
    """Make both axes logarithmic; an EDP that spans less than a decade gets even marks."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    room = 1.25 if last > first else 10
    axes.set_xlim(first / room, last * room)
    axes.margins(y=0.15)
    lowest, highest = axes.get_ylim()
    if highest < 10 * lowest:
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: scientific(value)))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(True, which="both", alpha=0.25)


def _name(axes: Axes, result: Result) -> None:
    chosen = "" if result.objective == "edp" else f" (best by {result.objective})"
    if result.predicted:
        chosen = f"\nby the nest (best by {result.objective}, latency as predicted)"
    axes.set_xlabel("samples (evaluated designs)")
    axes.set_ylabel(typeset(f"EDP of the best design so far [uJ*cycles]{chosen}"))
    axes.set_title(f"{result.workload} on {result.accelerator}: {result.strategy} search", pad=14)


def _name_the_end(axes: Axes, samples: float, value: float) -> None:
    axes.annotate(
        scientific(value),
        (samples, value),
        xytext=(8, -18),
        textcoords="offset points",
        ha="right",
    )


def _time_axis(axes: Axes, samples: Sequence[float], passed: Sequence[float]) -> None:
    """Mark along the top where round numbers of seconds had passed."""
    seconds = np.maximum.accumulate(passed)
    rounded = [step * 10.0**power for power in range(-2, 7) for step in (1, 2, 5)]
    times = [time for time in rounded if seconds[0] < time < seconds[-1]] + [seconds[-1]]
    places = np.interp(times, seconds, np.log(samples))
    closest = _CLOSEST * np.log(np.divide(*axes.get_xlim()[::-1]))
    kept: list[int] = []
    for index in reversed(range(len(times))):
        if not kept or places[kept[-1]] - places[index] >= closest:
            kept.append(index)
    top = axes.secondary_xaxis("top")
    top.set_xticks(np.exp(places[kept]), [f"{times[index]:.3g} s" for index in kept])
    top.set_xticks([], minor=True)
    top.set_xlabel("time since the start")
