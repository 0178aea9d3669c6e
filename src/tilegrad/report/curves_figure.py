"""The picture of several searches' curves: over samples above, over seconds below."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tilegrad.report.curves import AXES, Curve
from tilegrad.report.theme import part_colours, part_lines, themed

_LEAST = 0.9
"""Where the axis of EDP begins: a little below the floor."""


@themed
def curves_figure(
    found: Sequence[Curve], floor: str = "its floor", notes: Sequence[str] = ()
) -> Figure:
    """Return a panel for each network and axis: a line per design, its interval shaded.

    1 is the network's ``floor``, as the legend calls it: the bound of its optimum, or the least
    EDP found. The axis of EDP ends above the worst that a design ends at: first designs, thousands
    of times worse, would press all that matters into a line. Designs without any curve are left
    out; ``notes`` stand below.
    """
    networks = list(dict.fromkeys(curve.network for curve in found))
    designs = dict.fromkeys(curve.design for curve in found if curve.at)
    colours, lines = part_colours(designs), part_lines(designs)
    strokes = {each: (colours[each], lines[each]) for each in designs}
    size = (1 + 3.4 * len(networks), 8.5)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(len(AXES), len(networks), squeeze=False, sharey="row")
    for row, axis in zip(panels, AXES, strict=True):
        for axes, network in zip(row, networks, strict=True):
            here = [c for c in found if (c.axis, c.network) == (axis, network)]
            shown = [curve for curve in here if curve.design in designs]
            _draw(axes, shown, strokes, floor)
            axes.set_xlabel(axis)
            axes.set_title(network if axis == AXES[0] else "")
        row[0].set_ylabel(f"EDP over {floor}")
        row[0].set_ylim(_LEAST, 2 * max((c.mean[-1] for c in found if c.mean), default=1.0))
    handles, names = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=4, frameon=False)
    if notes:
        figure.supxlabel(
            "\n".join(textwrap.fill(each, int(size[0] * 13)) for each in notes), fontsize=8
        )
    return figure


def _draw(
    axes: Axes, shown: Sequence[Curve], strokes: Mapping[str, tuple[str, str]], floor: str
) -> None:
    for curve in shown:
        colour, line = strokes[curve.design]
        axes.step(
            curve.at, curve.mean, where="post", color=colour, linestyle=line, label=curve.design
        )
        axes.fill_between(
            curve.at, curve.low, curve.high, step="post", color=colour, alpha=0.15, linewidth=0
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.axhline(1, color="black", linewidth=0.8, linestyle="--", label=floor)
    axes.grid(True, alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
