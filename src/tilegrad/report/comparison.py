"""Designs against each other: EDP relative to one of them, as figures."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tilegrad.errors import InfeasibleError, nearest
from tilegrad.record import NetworkResult
from tilegrad.report import seeds
from tilegrad.report.searched import Entry, Unfit

GEOMEAN = "geometric mean"
TOTAL_EDP, TOTAL_CYCLES = "sum of EDP", "sum of cycles"
"""Over the networks: a mean of ratios can hide that the whole got worse."""

MARK = "†"
"""Of figures that rest on a search which its budget cut off."""

FEWER = "‡"
"""Of figures over fewer seeds than were searched, as others found no design that fits."""


@dataclass(frozen=True)
class Comparison:
    """All designs on all networks; ``reference`` is the design whose EDP counts as 1.

    Of several seeds of a search the geometric mean of their EDPs counts; where one design is shown
    it is the one in the middle. Seeds that found no design that fits are left out, and said to be.
    Raises ``InfeasibleError`` where the reference has no design on one of the networks.
    """

    searches: tuple[Entry | Unfit, ...]
    reference: str

    def __post_init__(self) -> None:
        for workload in self.workloads:
            if not self.runs(self.reference, workload):
                raise InfeasibleError(self._without_reference(workload))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The searches that found a design."""
        return tuple(each for each in self.searches if isinstance(each, Entry))

    @property
    def unfit(self) -> tuple[Unfit, ...]:
        """The searches that found none that fits."""
        return tuple(each for each in self.searches if isinstance(each, Unfit))

    @property
    def designs(self) -> tuple[str, ...]:
        """The designs' names, in order."""
        return tuple(dict.fromkeys(each.design for each in self.searches))

    @property
    def workloads(self) -> tuple[str, ...]:
        """The networks' names, in order."""
        return tuple(dict.fromkeys(each.workload for each in self.searches))

    def searched(self, design: str, workload: str) -> list[Entry | Unfit]:
        """Return the searches of a design and a network, one of each seed."""
        wanted = (design, workload)
        return [each for each in self.searches if (each.design, each.workload) == wanted]

    def runs(self, design: str, workload: str) -> list[Entry]:
        """Return the entries of all seeds of a design and a network; none where no design fits."""
        found = self.searched(design, workload)
        return [each for each in found if isinstance(each, Entry)]

    def entry(self, design: str, workload: str) -> Entry | None:
        """Return the entry of a design and a network: of several seeds the one in the middle."""
        runs = sorted(self.runs(design, workload), key=lambda entry: entry.edp)
        return runs[(len(runs) - 1) // 2] if runs else None

    def edps(self, design: str, workload: str) -> list[float]:
        """Return the EDP that each seed found [uJ*cycles]."""
        return [entry.edp for entry in self.runs(design, workload)]

    def relative(self, design: str, workload: str) -> float | None:
        """Return a design's EDP divided by the reference's; None where no design fits."""
        own, reference = (self.edps(each, workload) for each in (design, self.reference))
        return seeds.geometric_mean(own) / seeds.geometric_mean(reference) if own else None

    def interval(self, design: str, workload: str) -> tuple[float, float] | None:
        """Return the ends of ``relative``: of several seeds, else of predictions; else None.

        Predictions err independently.
        """
        if design == self.reference:
            return None
        if max(len(self.searched(each, workload)) for each in (design, self.reference)) > 1:
            return self.seeds_interval(design, self.reference, workload)
        runs = [self.entry(each, workload) for each in (design, self.reference)]
        widths = [None if run is None else run.log_width for run in runs]
        known = [width for width in widths if width is not None]
        ratio = self.relative(design, workload)
        if ratio is None or len(known) < len(widths):
            return None
        factor = math.exp(math.hypot(*known))
        return ratio / factor, ratio * factor

    def seeds_interval(self, one: str, other: str, workload: str) -> tuple[float, float] | None:
        """Return the ends of the ratio of two designs' means over the seeds.

        None where no design fits, or one seed's alone of several: it would count as exact.
        """
        for design in (one, other):
            found = len(self.runs(design, workload))
            if not found or found == 1 < len(self.searched(design, workload)):
                return None
        return seeds.interval(self.edps(one, workload), self.edps(other, workload))

    def relatives(self, design: str) -> list[float | None]:
        """Return a design's relative EDP on each network, and their geometric mean at the end.

        None where no design fits, the mean's too.
        """
        ratios = [self.relative(design, workload) for workload in self.workloads]
        known = [ratio for ratio in ratios if ratio is not None]
        if len(known) < len(ratios):
            return [*ratios, None]
        return [*ratios, math.exp(sum(map(math.log, known)) / len(known))]

    def totals(self, design: str) -> tuple[float, float] | None:
        """Return the sums of a design's EDP [uJ*cycles] and cycles over the networks.

        None where no design fits on one of them.
        """
        entries = [self.entry(design, workload) for workload in self.workloads]
        known = [entry for entry in entries if entry is not None]
        if len(known) < len(entries):
            return None
        return sum(entry.edp for entry in known), sum(entry.cycles for entry in known)

    def cut_off(self, design: str, *workloads: str) -> bool:
        """Return whether a design's EDP relative to the reference's rests on a cut-off search."""
        pair = (design, self.reference)
        runs = (self.runs(one, workload) for one in pair for workload in workloads)
        return any(entry.cut_off for each in runs for entry in each)

    def fewer(self, design: str, *workloads: str) -> bool:
        """Return whether a design's figures on networks rest on fewer seeds than were searched."""
        pairs = ((self.runs(design, each), self.searched(design, each)) for each in workloads)
        return any(0 < len(found) < len(searched) for found, searched in pairs)

    def marks(self, design: str) -> list[str]:
        """Return the marks of a row's cells: by network, then of the three over all of them."""
        marks = [self._mark(design, each) for each in self.workloads]
        return [*marks, *[self._mark(design, *self.workloads)] * 3]

    def network(self, design: str, workload: str, name: str) -> NetworkResult | None:
        """Return what a design was found to need for one of several networks; None: none fits."""
        entry = self.entry(design, workload)
        networks = () if entry is None else entry.result.networks
        return next((each for each in networks if each.name == name), None)

    def _mark(self, design: str, *workloads: str) -> str:
        fewer = any(self.fewer(each, *workloads) for each in (design, self.reference))
        return f"{MARK if self.cut_off(design, *workloads) else ''}{FEWER if fewer else ''}"

    def _without_reference(self, workload: str) -> str:
        """Return what to say of a reference that has no design on a network."""
        wanted = (self.reference, workload)
        said = (each.reason for each in self.unfit if (each.design, each.workload) == wanted)
        why = next(said, "was not searched")
        legal = [
            design for design in self.designs if all(self.runs(design, w) for w in self.workloads)
        ]
        advice = nearest(self.reference, legal) if legal else "none fits on every network"
        return (
            f"{self.reference} on {workload}: {why}; reference is {self.reference!r}, which the "
            f"others' EDP is divided by ({advice}; what was searched is not searched again)"
        )
