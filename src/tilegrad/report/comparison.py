"""Designs against each other: EDP relative to one of them, as figures and as a table."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from tilegrad.record import NetworkResult, Result
from tilegrad.report import seeds
from tilegrad.report.engineering import at_most, counted, joules, scientific
from tilegrad.report.history import History

GEOMEAN = "geometric mean"
TOTAL_EDP, TOTAL_CYCLES = "sum of EDP", "sum of cycles"
"""Over the networks: a mean of ratios can hide that the whole got worse."""

COMPLETE = "complete"
"""Status of a search that ended by itself."""

MARK = "†"
"""Of figures that rest on a search which its budget cut off."""


@dataclass(frozen=True)
class Entry:
    """What a search found one design to need for one network: as a checkpoint predicts, if it can.

    ``history``: its curve, where it was read.
    """

    design: str
    result: Result
    history: History | None = None

    @property
    def edp(self) -> float:
        """EDP [uJ*cycles]."""
        prediction = self.result.predicted
        return prediction.edp if prediction else self.result.edp

    @property
    def cycles(self) -> float:
        """Latency of the network."""
        prediction = self.result.predicted
        return prediction.cycles if prediction else self.result.cycles

    @property
    def cut_off(self) -> bool:
        """Whether the search ended before its plan did: a longer one may find less EDP."""
        return self.result.status != COMPLETE

    @property
    def log_width(self) -> float | None:
        """How far the prediction's interval reaches to either side, in log; None without one."""
        prediction = self.result.predicted
        if prediction is None or prediction.interval is None:
            return None
        low, high = prediction.interval.edp
        return math.log(high / low) / 2


@dataclass(frozen=True)
class Comparison:
    """All designs on all networks; ``reference`` is the design whose EDP counts as 1.

    Of several seeds of a search the geometric mean of their EDPs counts; where one design is shown
    it is the one in the middle.
    """

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
        """Return the entry of a design and a network: of several seeds the one in the middle."""
        runs = sorted(self.runs(design, workload), key=lambda entry: entry.edp)
        return runs[(len(runs) - 1) // 2]

    def runs(self, design: str, workload: str) -> list[Entry]:
        """Return the entries of all seeds of a design and a network."""
        wanted = (design, workload)
        return [each for each in self.entries if (each.design, each.result.workload) == wanted]

    def edps(self, design: str, workload: str) -> list[float]:
        """Return the EDP that each seed found [uJ*cycles]."""
        return [entry.edp for entry in self.runs(design, workload)]

    def relative(self, design: str, workload: str) -> float:
        """Return a design's EDP divided by the reference's."""
        own, reference = (self.edps(each, workload) for each in (design, self.reference))
        return seeds.geometric_mean(own) / seeds.geometric_mean(reference)

    def interval(self, design: str, workload: str) -> tuple[float, float] | None:
        """Return the ends of ``relative``: of several seeds, else of predictions; else None.

        Predictions err independently.
        """
        own, reference = (self.edps(each, workload) for each in (design, self.reference))
        if max(len(own), len(reference)) > 1:
            return None if design == self.reference else seeds.interval(own, reference)
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

    def cut_off(self, design: str, *workloads: str) -> bool:
        """Return whether a design's EDP relative to the reference's rests on a cut-off search."""
        pair = (design, self.reference)
        runs = (self.runs(one, workload) for one in pair for workload in workloads)
        return any(entry.cut_off for each in runs for entry in each)

    def notes(self) -> list[str]:
        """Return what to know of searches that a budget cut off: a sentence each; none is none."""
        cut = [entry for entry in self.entries if entry.cut_off]
        if not cut:
            return []
        places: dict[str, list[str]] = {}
        for entry in cut:
            places.setdefault(entry.design, []).append(entry.result.workload)
        listed = "; ".join(
            f"{design} on {', '.join(dict.fromkeys(names))}" for design, names in places.items()
        )
        notes = [
            f"{MARK} rests on a search that its budget cut off, whose EDP is an upper bound of "
            f"what the design can do: {listed}."
        ]
        if self.reference in places:
            notes.append(
                f"The reference, {self.reference}, was cut off: ratios to it may be too small."
            )
        if len(cut) == len(self.entries):
            notes.append("Every search was cut off: nothing here says what a design can do.")
        return notes

    def rows(self) -> list[list[str]]:
        """Return a header, then a row per design: relative and absolute EDP by network."""
        header = ["EDP, relative", *self.workloads, GEOMEAN, TOTAL_EDP, TOTAL_CYCLES]
        return [header, *([design, *self._cells(design)] for design in self.designs)]

    def _cells(self, design: str) -> list[str]:
        marks = self.marks(design)
        ratios = self.relatives(design)
        cells = [f"{ratio:.3g}{mark}" for ratio, mark in zip(ratios, marks, strict=False)]
        for place, workload in enumerate(self.workloads):
            ends = self.interval(design, workload)
            if ends is not None:
                cells[place] += f", {ends[0]:.2g} to {ends[1]:.2g}"
            cells[place] += f" ({scientific(self.entry(design, workload).edp)})"
        pairs = zip(self.totals(design), self.totals(self.reference), strict=True)
        mark = marks[-1]
        return [*cells, *(f"{own / other:.3g}{mark} ({scientific(own)})" for own, other in pairs)]

    def marks(self, design: str) -> list[str]:
        """Return the marks of a row's cells: by network, then of the three over all of them."""
        marks = [MARK if self.cut_off(design, each) else "" for each in self.workloads]
        return [*marks, *[MARK if any(marks) else ""] * 3]

    def _with_gaps(self) -> list[list[str]]:
        """Return the rows, with a column of the largest gap where something is proven."""
        rows, gaps = self.rows(), self.gaps()
        if not gaps:
            return rows
        largest = ["gap", *map(self._largest_gap, self.designs)]
        return [[*row, cell] for row, cell in zip(rows, largest, strict=True)]

    def _largest_gap(self, design: str) -> str:
        found = [self.entry(design, workload).result.gap for workload in self.workloads]
        known = [gap for gap in found if gap is not None]
        return at_most(max(known)) if len(known) == len(found) else "-"

    def parts(self) -> list[list[str]]:
        """Return a header, then a row per design: energy and cycles by network."""
        rows = [["energy, cycles", *self.workloads]]
        for design in self.designs:
            found = [self.entry(design, workload) for workload in self.workloads]
            rows.append([design, *map(_part, found)])
        return rows

    def shared(self) -> list[list[str]]:
        """Return a header, then a row per design: EDP and price of each of several networks.

        None where no workload is of several.
        """
        first = self.designs[0]
        names = [
            (workload, each.name)
            for workload in self.workloads
            for each in self.entry(first, workload).result.networks
        ]
        if not names:
            return []
        rows = [["EDP of each network (price of sharing)", *(f"{n} in {w}" for w, n in names)]]
        for design in self.designs:
            found = [self.network(design, *name) for name in names]
            rows.append([design, *map(_priced, found)])
        return rows

    def network(self, design: str, workload: str, name: str) -> NetworkResult:
        """Return what a design was found to need for one of several networks."""
        networks = self.entry(design, workload).result.networks
        return next(each for each in networks if each.name == name)

    def gaps(self) -> list[list[str]]:
        """Return a header, then a row per design: what is proven by network; none where nothing is.

        How far each objective lies above its optimum at most.
        """
        if all(entry.result.gap is None for entry in self.entries):
            return []
        rows = [["above the optimum at most", *self.workloads]]
        for design in self.designs:
            found = [self.entry(design, workload).result.gap for workload in self.workloads]
            rows.append([design, *("-" if gap is None else at_most(gap) for gap in found)])
        return rows

    def table(self) -> Table:
        """Return the rows as a table for the terminal, whose words must not be cut."""
        header, *rows = self._with_gaps()
        predicted = any(entry.result.predicted for entry in self.entries)
        caption = "in brackets: EDP [uJ*cycles] and cycles"
        lines = [f"{caption}, as predicted" if predicted else caption, *self.notes()]
        table = Table(caption=Text("\n".join(lines)))
        for number, heading in enumerate(header):
            table.add_column(Text(heading), no_wrap=number == 0)
        for row in rows:
            table.add_row(*row)
        return table


def _priced(network: NetworkResult) -> str:
    price = "" if network.price is None else f" ({network.price:.4f}x)"
    return f"{scientific(network.edp)}{price}"


def _part(entry: Entry) -> str:
    mark = MARK if entry.cut_off else ""
    return f"{joules(entry.result.energy_uj)}, {counted(entry.cycles)}{mark}"
