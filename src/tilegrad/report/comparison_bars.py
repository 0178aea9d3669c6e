"""The picture of a comparison: relative EDP, a group of bars per network."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter
from numpy.typing import NDArray

from tilegrad.report.comparison import GEOMEAN, MARK, Comparison
from tilegrad.report.comparison_notes import notes
from tilegrad.report.theme import part_colours, themed

_LETTER = 0.095
"""Inches that a letter of a name takes, about."""
_NOTE_LETTERS = 13
"""Letters of a note in an inch."""


@themed
def comparison_bars(comparison: Comparison) -> Figure:
    """Return bars of relative EDP on a logarithmic axis: a group per network, a bar per design.

    Bars begin at 1, the reference: those that hang down are better than it. Names are never cut:
    the figure grows with them.
    """
    groups = [*comparison.workloads, GEOMEAN]
    entry = 0.7 + _LETTER * max(map(len, comparison.designs))
    wide = max(3 + max(2.2, _LETTER * max(map(len, groups))) * len(groups), entry)
    figure = Figure(figsize=(wide, 5), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(groups))
    colours = part_colours([each for each in comparison.designs if each != comparison.reference])
    width = 0.84 / max(1, len(colours))
    for number, (design, colour) in enumerate(colours.items()):
        left = places + (number - (len(colours) - 1) / 2) * width
        _draw(axes, comparison, design, colour, left, width)
    _finish(axes, comparison.reference)
    axes.set_xticks(places, groups)
    if axes.containers:
        columns = min(3, int(wide // entry))
        figure.legend(loc="outside upper center", ncols=columns, frameon=False)
    told = [textwrap.fill(each, int(wide * _NOTE_LETTERS)) for each in notes(comparison)]
    if told:
        figure.supxlabel("\n".join(told), fontsize=8)
    return figure


def _draw(
    axes: Axes,
    comparison: Comparison,
    design: str,
    colour: str,
    left: NDArray[np.floating[Any]],
    width: float,
) -> None:
    """Draw one design's bars around the places ``left``; those of cut-off searches are marked.

    Where no design fits there is none.
    """
    found = zip(left, comparison.relatives(design), comparison.marks(design), strict=False)
    drawn = [(place, ratio, mark) for place, ratio, mark in found if ratio is not None]
    if not drawn:
        return
    at, ratios, marks = zip(*drawn, strict=True)
    heights = np.asarray(ratios) - 1
    bars = axes.bar(np.asarray(at), heights, width, bottom=1, color=colour, label=design)
    for bar, mark in zip(bars, marks, strict=True):
        bar.set(hatch="///" if MARK in mark else None, edgecolor="white")
    labels = [f"{_short(ratio)}{mark}" for ratio, mark in zip(ratios, marks, strict=True)]
    axes.bar_label(bars, labels, fontsize=8, padding=1)
    for place, workload in zip(left, comparison.workloads, strict=False):
        ends = comparison.interval(design, workload)
        if ends is not None:
            axes.vlines(place + width / 4, *ends, color="black", linewidth=1)


def _short(ratio: float) -> str:
    """Return a ratio in as few digits as tell bars apart."""
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2g}"


def _finish(axes: Axes, reference: str) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    # Within a decade the marks between its ends are named too.
    axes.yaxis.set_minor_formatter(LogFormatter(labelOnlyBase=False))
    axes.margins(y=0.12)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_ylabel("\n".join(("EDP relative to", *textwrap.wrap(reference, 40))))
    axes.grid(True, axis="y", alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
