"""The picture of a design against its roof: what each layer reaches at its intensity."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tilegrad.report.bars import shortened
from tilegrad.report.engineering import counted
from tilegrad.report.figures import LayerFigures, Roof
from tilegrad.report.theme import part_colours, themed

NAMED = 8
"""Layers of the longest latency, named beside their points where that leaves room for others."""

_APART = 1.7
"""Ratio of two performances from which both names have room."""

_SMALLEST, _LARGEST = 20.0, 400.0
"""Areas of the points [pt^2]: by the share of the network's latency."""


@themed
def roofline(figures: Sequence[LayerFigures], roof: Roof, parts: Sequence[str]) -> Figure:
    """Return performance [MAC/cycle] against intensity [MAC/B], both logarithmic, below the roof.

    A point is a layer, coloured by its bottleneck, its area by its share of the latency.
    """
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    axes = figure.subplots()
    axes.set_xscale("log")
    axes.set_yscale("log")
    shown = [each for each in figures if isfinite(each.intensity) and each.layer.cycles]
    _draw_roof(axes, shown, roof)
    total = sum(each.layer.total_cycles for each in figures) or 1.0
    colours = part_colours(parts)
    for part in dict.fromkeys(each.layer.bottleneck for each in shown):
        bound = [each for each in shown if each.layer.bottleneck == part]
        shares = np.array([each.layer.total_cycles / total for each in bound])
        axes.scatter(
            [each.intensity for each in bound],
            [each.macs_per_cycle for each in bound],
            _SMALLEST + (_LARGEST - _SMALLEST) * shares,
            color=colours[part],
            edgecolors="white",
            alpha=0.85,
            label=f"bound by {part}",
            zorder=3,
        )
    _name_the_longest(axes, shown, roof)
    axes.set_xlabel("operational intensity [MAC per byte of the outermost memory]")
    axes.set_ylabel("performance [MAC/cycle]")
    axes.grid(True, which="both", alpha=0.2)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, markerscale=0.7)
    return figure


def _draw_roof(axes: Axes, shown: Sequence[LayerFigures], roof: Roof) -> None:
    places = [each.intensity for each in shown] + ([roof.ridge] if roof.ridge else [])
    ends = np.array([min(places) / 3, max(places) * 3] if places else [0.1, 10.0])
    steps = np.geomspace(ends[0], ends[1], 200)
    slope = steps * roof.bytes_per_cycle if roof.bytes_per_cycle < inf else np.full(200, inf)
    axes.plot(steps, np.minimum(slope, roof.macs_per_cycle), color="black", linewidth=1.5)
    axes.set_xlim(*ends)
    axes.annotate(
        f"{counted(roof.macs_per_cycle)} MAC/cycle",
        (ends[1], roof.macs_per_cycle),
        xytext=(-6, 5),
        textcoords="offset points",
        ha="right",
    )
    if roof.bytes_per_cycle < inf:
        axes.annotate(
            f"{roof.bytes_per_cycle:g} B/cycle",
            (steps[40], min(slope[40], roof.macs_per_cycle)),
            xytext=(-2, 12),
            textcoords="offset points",
            ha="right",
        )
    axes.margins(y=0.12)


def _name_the_longest(axes: Axes, shown: Sequence[LayerFigures], roof: Roof) -> None:
    """Name layers beside their points, inwards of those far to the right, below the roof."""
    low, high = axes.get_xlim()
    named: list[LayerFigures] = []
    for each in sorted(shown, key=lambda each: -each.layer.total_cycles)[:NAMED]:
        if any(_near(each, other) for other in named):
            continue
        named.append(each)
        right = each.intensity > low**0.4 * high**0.6
        below = 12 if each.macs_per_cycle > 0.7 * roof.macs_per_cycle else 0
        axes.annotate(
            shortened(each.layer.name),
            (each.intensity, each.macs_per_cycle),
            xytext=(-9 if right else 9, -4 - below),
            textcoords="offset points",
            ha="right" if right else "left",
            fontsize=9,
            zorder=4,
        )


def _near(one: LayerFigures, other: LayerFigures) -> bool:
    return 1 / _APART < one.macs_per_cycle / other.macs_per_cycle < _APART
