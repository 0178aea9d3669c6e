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
from rich.text import Text

from tilegrad.report.engineering import counted, joules, scientific
from tilegrad.report.record import Result
from tilegrad.report.theme import part_colours, png_bytes, themed

GEOMEAN = "geometric mean"
TOTAL_EDP, TOTAL_CYCLES = "sum of EDP", "sum of cycles"
"""Over the networks: a mean of ratios can hide that the whole got worse."""

_COLUMNS = (
    "workload", "design", "edp_uj_cycles", "edp_relative", "lowest", "highest", "energy_uj",
    "cycles", "hardware", "status",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """What one design was found to need for one network: as a checkpoint predicts, if it can."""

    design: str
    result: Result

    @property
    def edp(self) -> float:
        """EDP [uJ*cycles]."""
        prediction = self.result.prediction
        return prediction.edp if prediction else self.result.edp

    @property
    def cycles(self) -> float:
        """Latency of the network."""
        prediction = self.result.prediction
        return prediction.cycles if prediction else self.result.cycles

    @property
    def log_width(self) -> float | None:
        """How far the prediction's interval reaches to either side, in log; None without one."""
        prediction = self.result.prediction
        if prediction is None or prediction.interval is None:
            return None
        low, high = prediction.interval.edp
        return math.log(high / low) / 2


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

    def entry(self, design: str, workload: str) -> Entry:
        """Return the entry of a design and a network."""
        return next(
            entry
            for entry in self.entries
            if (entry.design, entry.result.workload) == (design, workload)
        )

    def relative(self, design: str, workload: str) -> float:
        """Return a design's EDP divided by the reference's."""
        return self.entry(design, workload).edp / self.entry(self.reference, workload).edp

    def interval(self, design: str, workload: str) -> tuple[float, float] | None:
        """Return the ends of ``relative``, of predictions that err independently; else None."""
        widths = [self.entry(d, workload).log_width for d in (design, self.reference)]
        known = [width for width in widths if width is not None]
        if design == self.reference or len(known) < len(widths):
            return None
        factor = math.exp(math.hypot(*known))
        ratio = self.relative(design, workload)
        return ratio / factor, ratio * factor

    def relatives(self, design: str) -> list[float]:
        """Return a design's relative EDP on each network, and their geometric mean at the end."""
        ratios = [self.relative(design, workload) for workload in self.workloads]
        return [*ratios, math.exp(sum(map(math.log, ratios)) / len(ratios))]

    def totals(self, design: str) -> tuple[float, float]:
        """Return the sums of a design's EDP [uJ*cycles] and cycles over the networks."""
        entries = [self.entry(design, workload) for workload in self.workloads]
        return sum(entry.edp for entry in entries), sum(entry.cycles for entry in entries)

    def rows(self) -> list[list[str]]:
        """Return a header, then a row per design: relative and absolute EDP by network."""
        header = ["EDP, relative", *self.workloads, GEOMEAN, TOTAL_EDP, TOTAL_CYCLES]
        return [header, *([design, *self._cells(design)] for design in self.designs)]

    def _cells(self, design: str) -> list[str]:
        cells = [f"{ratio:.3g}" for ratio in self.relatives(design)]
        for place, workload in enumerate(self.workloads):
            ends = self.interval(design, workload)
            if ends is not None:
                cells[place] += f", {ends[0]:.2g} to {ends[1]:.2g}"
            cells[place] += f" ({scientific(self.entry(design, workload).edp)})"
        pairs = zip(self.totals(design), self.totals(self.reference), strict=True)
        return [*cells, *(f"{own / other:.3g} ({scientific(own)})" for own, other in pairs)]

    def parts(self) -> list[list[str]]:
        """Return a header, then a row per design: energy and cycles by network."""
        rows = [["energy, cycles", *self.workloads]]
        for design in self.designs:
            found = [self.entry(design, workload) for workload in self.workloads]
            pairs = ((entry.result.energy_uj, entry.cycles) for entry in found)
            rows.append([design, *(f"{joules(uj)}, {counted(count)}" for uj, count in pairs)])
        return rows

    def table(self) -> Table:
        """Return the rows as a table for the terminal."""
        header, *rows = self.rows()
        predicted = any(entry.result.prediction for entry in self.entries)
        caption = "in brackets: EDP [uJ*cycles] and cycles"
        table = Table(*header, caption=Text(f"{caption}, as predicted" if predicted else caption))
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
        ends = comparison.interval(entry.design, found.workload) or ("", "")
        values = (entry.edp, relative, *ends, found.energy_uj, entry.cycles)
        figures = [repr(value) if value != "" else "" for value in values]
        table.writerow([found.workload, entry.design, *figures, hardware, found.status])
    return text.getvalue()


def _markdown(comparison: Comparison) -> str:
    return f"{_lines(comparison.rows())}\n{_lines(comparison.parts())}"


def _lines(table: list[list[str]]) -> str:
    header, *rows = table
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _short(ratio: float) -> str:
    """Return a ratio in as few digits as tell bars apart."""
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2g}"


@themed
def comparison_bars(comparison: Comparison) -> Figure:
    """Return bars of relative EDP on a logarithmic axis: a group per network, a bar per design.

    Bars begin at 1, the reference: those that hang down are better than it.
    """
    groups = [*comparison.workloads, GEOMEAN]
    figure = Figure(figsize=(3 + 2.2 * len(groups), 5), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(groups))
    colours = part_colours([each for each in comparison.designs if each != comparison.reference])
    width = 0.84 / max(1, len(colours))
    for number, (design, colour) in enumerate(colours.items()):
        ratios = np.asarray(comparison.relatives(design))
        left = places + (number - (len(colours) - 1) / 2) * width
        bars = axes.bar(left, ratios - 1, width, bottom=1, color=colour, label=design)
        axes.bar_label(bars, [_short(ratio) for ratio in ratios], fontsize=8, padding=1)
        for place, workload in zip(left, comparison.workloads, strict=False):
            ends = comparison.interval(design, workload)
            if ends is not None:
                axes.vlines(place + width / 4, *ends, color="black", linewidth=1)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.margins(y=0.12)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_xticks(places, groups)
    axes.set_ylabel(f"EDP relative to {comparison.reference}")
    axes.grid(True, axis="y", alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure
