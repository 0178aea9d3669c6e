"""The picture of a proof: the best objective and the proven bound against time."""

from __future__ import annotations

from matplotlib.figure import Figure

from tilegrad.record import Result
from tilegrad.report.engineering import scientific, typeset
from tilegrad.report.history import History
from tilegrad.report.theme import MAIN_COLOUR, themed

UNITS = {"edp": "uJ*cycles", "energy": "uJ", "latency": "cycles", "area-delay": "mm2*cycles"}

NEAR = 1.5
"""Times the end's value above which the axis ends: first designs are far off."""


@themed
def gap_against_seconds(history: History, result: Result) -> Figure:
    """Return step curves of the best design's objective and of what no design can undercut."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    end = max(history.seconds[-1], result.seconds)
    seconds = [*history.seconds, end]
    value = [*history.value, history.value[-1]]
    bound = [each or float("nan") for each in (*history.bound, history.bound[-1])]
    axes.step(seconds, value, where="post", color=MAIN_COLOUR, linewidth=2, label="best design")
    axes.step(seconds, bound, where="post", color="#D55E00", linewidth=2, label="proven bound")
    axes.fill_between(seconds, bound, value, step="post", color="#666666", alpha=0.15)
    known = [each for each in history.bound if each > 0]
    lowest, last = min(known), history.value[-1]
    axes.set_ylim(lowest - 0.1 * (last - lowest) - 0.01 * last, min(max(value), NEAR * last))
    unit = UNITS.get(result.objective, "")
    axes.set_xlabel("seconds")
    axes.set_ylabel(typeset(f"{result.objective} [{unit}]"))
    axes.set_title(f"{result.workload} on {result.accelerator}: {result.strategy} search")
    axes.yaxis.set_major_formatter(lambda number, _: scientific(number))
    axes.grid(True, alpha=0.25)
    axes.legend()
    return figure
