"""The picture of a design: where the layers' energy and cycles go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from tilegrad.record import LayerResult, Result
from tilegrad.report.engineering import cycles, joules, typeset
from tilegrad.report.theme import part_colours, themed

_LONGEST_NAME = 30
_BAR = 0.76
_MARK = 0.42
"""Lower than a bar, so that its colour shows even where marks cover its whole length."""
_ROOM = 1.4
"""Width of a panel, in lengths of the longest bar: texts stand at the bars' ends."""


@themed
def layer_costs(result: Result, note: str = "") -> Figure:
    """Return bars per layer, all its executions together: energy by part and latency.

    The latency bar has the bottleneck's colour and name; thin marks in it are the cycles that the
    other parts would need. ``note``: what to say of layers that the result leaves out.
    """
    figure = Figure(figsize=(13, 2.1 + 0.31 * len(result.layers)), layout="constrained")
    energy, latency = figure.subplots(1, 2, sharey=True)
    colours = part_colours(result.parts)
    _draw_energy(energy, result, colours)
    _draw_latency(latency, result, colours)
    energy.set_yticks(range(len(result.layers)), [_label(layer) for layer in result.layers])
    energy.set_ylim(len(result.layers) - 0.4, -0.6)
    if note:
        figure.supxlabel(note, fontsize=9.5)
    figure.legend(
        handles=[Patch(color=colour, label=part) for part, colour in colours.items()],
        loc="outside upper center",
        ncols=min(len(colours), 6),
        frameon=False,
    )
    return figure


def shortened(name: str, longest: int = _LONGEST_NAME) -> str:
    """Return a name without its middle if it is too long: layers often differ at the end."""
    if len(name) <= longest:
        return name
    head = (longest - 1) // 3
    return f"{name[:head]}…{name[head + 1 - longest :]}"


def _label(layer: LayerResult) -> str:
    return f"{shortened(layer.name)} ({layer.count}x)"


def _draw_energy(axes: Axes, result: Result, colours: dict[str, str]) -> None:
    total = result.energy_uj
    rows = np.arange(len(result.layers))
    left = np.zeros(len(rows))
    for part, colour in colours.items():
        spent = [layer.count * layer.energy_by_part_uj[part] for layer in result.layers]
        widths = _percent(spent, total)
        axes.barh(rows, widths, _BAR, left=left, color=colour)
        left += widths
    for row, layer in enumerate(result.layers):
        _write(axes, row, left[row], f"{left[row]:.1f} %, {joules(layer.total_energy_uj)}")
    _finish(axes, left.max(), f"Energy by part: {joules(total)}", "% of the network")


def _draw_latency(axes: Axes, result: Result, colours: dict[str, str]) -> None:
    total = result.cycles
    lengths = _percent([layer.total_cycles for layer in result.layers], total)
    bound_by = [layer.bottleneck for layer in result.layers]
    axes.barh(np.arange(len(lengths)), lengths, _BAR, color=[colours[part] for part in bound_by])
    for row, layer in enumerate(result.layers):
        _draw_marks(axes, row, layer, colours, total)
        _write(axes, row, lengths[row], f"{lengths[row]:.1f} %, {layer.bottleneck}")
    label = "% of the network (thin marks: what other parts need)"
    _finish(axes, lengths.max(), f"Latency by bottleneck: {cycles(total)}", label)


def _draw_marks(
    axes: Axes, row: int, layer: LayerResult, colours: dict[str, str], total: float
) -> None:
    """Mark where other parts would be done; of equal ones, name the first."""
    done: dict[float, str] = {}
    for part in colours:
        if layer.cycles_by_part[part] < layer.cycles:
            done.setdefault(layer.cycles_by_part[part], part)
    for needed, part in done.items():
        axes.vlines(
            _percent([layer.count * needed], total),
            row - _MARK / 2,
            row + _MARK / 2,
            color=colours[part],
            linewidth=2.5,
            path_effects=[withStroke(linewidth=4.5, foreground="white")],
        )


def _percent(values: Sequence[float], total: float) -> NDArray[np.float64]:
    return 100 * np.array(values, dtype=np.float64) / (total or 1.0)


def _write(axes: Axes, row: int, value: float, text: str) -> None:
    axes.annotate(
        typeset(text),
        (value, row),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=9.5,
    )


def _finish(axes: Axes, longest: float, title: str, label: str) -> None:
    axes.set_xlim(0, _ROOM * longest or 1)
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= min(100, _ROOM * longest)])
    axes.set_title(typeset(title))
    axes.set_xlabel(label)
    axes.grid(True, axis="x", alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
