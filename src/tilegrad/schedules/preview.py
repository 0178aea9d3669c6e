"""The picture of a set of schedules: how its targets, layers and hardware spread."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from torch import Tensor

from tilegrad.files import write_bytes
from tilegrad.schedules.schedules import Schedules

UNITS = {"latency": "cycles", "energy": "uJ", "edp": "uJ * cycles"}
MOST_ROWS = 100_000
"""More are thinned out evenly."""
MOST_LAYERS = 40

_STYLE = {"font.size": 9, "axes.titlesize": 10}
_COLOUR = "#0072B2"
_BANDS = ((0.05, 0.95, 0.25), (0.25, 0.75, 0.6))
_BINS = 12


def save_preview(found: Schedules, path: Path) -> None:
    """Draw ``found`` and write the PNG; ``OutputError`` where that cannot be done."""
    content = io.BytesIO()
    with style.context(["default", _STYLE]):
        preview(found).savefig(content, format="png", dpi=110, facecolor="white")
    write_bytes(path, content.getbuffer())


def preview(found: Schedules) -> Figure:
    """Return the targets' distributions, latency by layer, and latency against the hardware."""
    found = found[torch.arange(0, len(found), max(len(found) // MOST_ROWS, 1))]
    measured = [name for name in UNITS if name in found.targets]
    first = measured[0]
    varied = [name for name, values in found.hardware.items() if bool((values != values[0]).any())]
    figure = Figure(figsize=(11, 8), layout="constrained")
    figure.suptitle(_title(found))
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(1, 1.4))[:, 0]
    for axes, name in zip(_row(above, len(measured)), measured, strict=True):
        _distribution(axes, found.targets[name], f"{name} [{UNITS[name]}]")
    panels = _row(below, 1 + len(varied))
    _by_layer(panels[0], found, first)
    for axes, name in zip(panels[1:], varied, strict=True):
        _against(axes, found, name, first)
    if varied:
        panels[1].set_ylabel(f"log10 of {first} / its layer's median")
    return figure


def _title(found: Schedules) -> str:
    return (
        f"{found.accelerator.name}, layers: {len(found.layer_names):,}, machines: "
        f"{len(found.machine_names):,}, schedules drawn here: {len(found):,}"
    )


def _row(figure: SubFigure, count: int) -> list[Axes]:
    return list(figure.subplots(1, count, squeeze=False)[0])


def _distribution(axes: Axes, values: Tensor, label: str) -> None:
    axes.hist(values.log10().numpy(), bins=60, histtype="stepfilled", color=_COLOUR)
    axes.set_xlabel(f"log10 of {label}")
    axes.set_ylabel("schedules")


def _by_layer(axes: Axes, found: Schedules, target: str) -> None:
    """Draw one bar per layer: the middle half, and 90 % of its schedules."""
    logs = found.targets[target].log10().numpy()
    ids = found.layer.numpy()
    layers = np.unique(ids)[:MOST_LAYERS]
    for place, layer in enumerate(layers):
        values = logs[ids == layer]
        for low, high, strength in _BANDS:
            left, right = np.quantile(values, (low, high))
            axes.barh(place, right - left, left=left, height=0.7, color=_COLOUR, alpha=strength)
        axes.plot(np.median(values), place, "|", color="black")
    axes.set_yticks(range(len(layers)), [found.layer_names[layer] for layer in layers], fontsize=6)
    axes.invert_yaxis()
    axes.set_xlabel(f"log10 of {target} [{UNITS[target]}]")
    axes.use_sticky_edges = False
    axes.margins(x=0.03)
    some = f" (the first {len(layers)})" if len(layers) == MOST_LAYERS else ""
    axes.set_title(f"layers{some}: 5, 25, 50, 75, 95 %")


def _against(axes: Axes, found: Schedules, parameter: str, target: str) -> None:
    """Draw a target, over its layer's median, against a hardware parameter."""
    logs = found.targets[target].log10().numpy()
    ids = found.layer.numpy()
    middle = np.zeros(len(found.layer_names))
    for layer in np.unique(ids):
        middle[layer] = np.median(logs[ids == layer])
    sizes, relative = found.hardware[parameter].numpy(), logs - middle[ids]
    edges = np.geomspace(sizes.min(), sizes.max(), _BINS + 1)
    bins = np.clip(np.searchsorted(edges, sizes, side="right") - 1, 0, _BINS - 1)
    filled = np.unique(bins)
    centres = [float(np.median(sizes[bins == number])) for number in filled]
    quantiles = {
        level: [float(np.quantile(relative[bins == number], level)) for number in filled]
        for level in (0.05, 0.25, 0.5, 0.75, 0.95)
    }
    for low, high, strength in _BANDS:
        axes.fill_between(
            centres, quantiles[low], quantiles[high], color=_COLOUR, alpha=strength, linewidth=0
        )
    axes.plot(centres, quantiles[0.5], color="black")
    axes.set_xscale("log", base=2)
    unit = found.accelerator.parameters[parameter].unit
    axes.set_xlabel(f"{parameter} [{unit}]")
    axes.grid(True, alpha=0.25)
