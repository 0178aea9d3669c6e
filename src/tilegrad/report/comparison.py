"""Designs against each other: EDP relative to one of them, as table, CSV, Markdown and plot."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.table import Table

from tilegrad.report.engineering import scientific
from tilegrad.report.record import Result
from tilegrad.report.theme import part_colours, png_bytes, themed

GEOMEAN = "geometric mean"
_COLUMNS = (
    "workload", "design", "edp_uj_cycles", "edp_relative", "energy_uj", "cycles", "hardware",
    "status",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """What one design was found to need for one network."""

    design: str
    result: Result


@dataclass(frozen=True)
class Comparison:
    """All designs on all networks; ``reference`` is the design whose EDP counts as 1."""

    entries: tuple[Entry, ...]
    reference: str

    @property
    def designs(self) -> tuple[str, ...]:
        """The designs' names, in order."""
        return tuple(dict.fromkeys(entry.design for entry in self.entries))

    @property
    def workloads(self) -> tuple[str, ...]:
        """The networks' names, in order."""
        return tuple(dict.fromkeys(entry.result.workload for entry in self.entries))

    def edp(self, design: str, workload: str) -> float:
        """Return the EDP of a design on a network [uJ*cycles]."""
        return next(
            entry.result.edp
            for entry in self.entries
            if (entry.design, entry.result.workload) == (design, workload)
        )

    def relative(self, design: str, workload: str) -> float:
        """Return a design's EDP divided by the reference's."""
        return self.edp(design, workload) / self.edp(self.reference, workload)

    def relatives(self, design: str) -> list[float]:
        """Return a design's relative EDP on each network, and their geometric mean at the end."""
        ratios = [self.relative(design, workload) for workload in self.workloads]
        return [*ratios, math.exp(sum(map(math.log, ratios)) / len(ratios))]

    def rows(self) -> list[list[str]]:
        """Return a header, then a row per design: relative and absolute EDP by network."""
        header = ["EDP, relative", *self.workloads, GEOMEAN]
        rows = []
        for design in self.designs:
            cells = [f"{ratio:.3g}" for ratio in self.relatives(design)]
            for place, workload in enumerate(self.workloads):
                cells[place] += f" ({scientific(self.edp(design, workload))})"
            rows.append([design, *cells])
        return [header, *rows]

    def table(self) -> Table:
        """Return the rows as a table for the terminal."""
        header, *rows = self.rows()
        table = Table(*header, caption="in brackets: EDP [uJ*cycles]")
        for row in rows:
            table.add_row(*row)
        return table


def write_comparison(directory: Path, comparison: Comparison) -> None:
    """Write ``comparison.csv``, ``comparison.md`` and ``comparison.png``."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "comparison.csv").write_text(_csv(comparison), encoding="utf-8")
    (directory / "comparison.md").write_text(_markdown(comparison), encoding="utf-8")
    (directory / "comparison.png").write_bytes(png_bytes(comparison_bars(comparison)))


def _csv(comparison: Comparison) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    for entry in comparison.entries:
        found = entry.result
        hardware = " ".join(f"{name}={value:g}" for name, value in found.hardware.items())
        relative = comparison.relative(entry.design, found.workload)
        figures = [repr(value) for value in (found.edp, relative, found.energy_uj, found.cycles)]
        table.writerow([found.workload, entry.design, *figures, hardware, found.status])
    return text.getvalue()


def _markdown(comparison: Comparison) -> str:
    header, *rows = comparison.rows()
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


@themed
def comparison_bars(comparison: Comparison) -> Figure:
    """Return bars of relative EDP on a logarithmic axis: a group per network, a bar per design."""
    groups = [*comparison.workloads, GEOMEAN]
    figure = Figure(figsize=(3 + 2.2 * len(groups), 5), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(groups))
    colours = part_colours(comparison.designs)
    width = 0.84 / len(colours)
    for number, (design, colour) in enumerate(colours.items()):
        ratios = comparison.relatives(design)
        left = places + (number - (len(colours) - 1) / 2) * width
        bars = axes.bar(left, ratios, width, color=colour, label=design)
        axes.bar_label(bars, [f"{ratio:.2g}" for ratio in ratios], fontsize=8, padding=1)
    axes.set_yscale("log")
    axes.margins(y=0.12)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_xticks(places, groups)
    axes.set_ylabel(f"EDP relative to {comparison.reference}")
    axes.grid(True, axis="y", alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure
