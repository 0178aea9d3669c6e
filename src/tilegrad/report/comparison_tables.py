"""A comparison's tables, for its page and for the terminal: a header, then a row per design."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from tilegrad.record import NetworkResult
from tilegrad.report.comparison import GEOMEAN, MARK, TOTAL_CYCLES, TOTAL_EDP, Comparison
from tilegrad.report.comparison_notes import notes
from tilegrad.report.engineering import at_most, counted, joules, scientific
from tilegrad.report.searched import NONE_FITS, Entry, least_to_most

Rows = list[list[str]]


def relative_rows(comparison: Comparison) -> Rows:
    """Return relative and absolute EDP by network, their mean and sums."""
    header = ["EDP, relative", *comparison.workloads, GEOMEAN, TOTAL_EDP, TOTAL_CYCLES]
    return [header, *([each, *_cells(comparison, each)] for each in comparison.designs)]


def _cells(comparison: Comparison, design: str) -> list[str]:
    marks = comparison.marks(design)
    cells = [
        _relative(comparison, design, workload, mark)
        for workload, mark in zip(comparison.workloads, marks, strict=False)
    ]
    mean, mark = comparison.relatives(design)[-1], marks[-1]
    totals, reference = comparison.totals(design), comparison.totals(comparison.reference)
    if mean is None or totals is None or reference is None:
        return [*cells, "-", "-", "-"]
    sums = (
        f"{own / other:.3g}{mark} ({scientific(own)})"
        for own, other in zip(totals, reference, strict=True)
    )
    return [*cells, f"{mean:.3g}{mark}", *sums]


def _relative(comparison: Comparison, design: str, workload: str, mark: str) -> str:
    ratio, entry = comparison.relative(design, workload), comparison.entry(design, workload)
    if ratio is None or entry is None:
        samples = [each.samples for each in comparison.searched(design, workload)]
        return f"{NONE_FITS} ({least_to_most(samples)} samples)"
    ends = comparison.interval(design, workload)
    told = "" if ends is None else f", {ends[0]:.2g} to {ends[1]:.2g}"
    return f"{ratio:.3g}{mark}{told} ({scientific(entry.edp)})"


def parts(comparison: Comparison) -> Rows:
    """Return energy and cycles by network."""
    rows = [["energy, cycles", *comparison.workloads]]
    for design in comparison.designs:
        found = [comparison.entry(design, workload) for workload in comparison.workloads]
        rows.append([design, *map(_part, found)])
    return rows


def shared(comparison: Comparison) -> Rows:
    """Return EDP and price of each of several networks; nothing where no workload is of several."""
    reference = [comparison.entry(comparison.reference, each) for each in comparison.workloads]
    names = [(e.workload, each.name) for e in reference if e for each in e.result.networks]
    if not names:
        return []
    rows = [["EDP of each network (price of sharing)", *(f"{n} in {w}" for w, n in names)]]
    for design in comparison.designs:
        found = [comparison.network(design, *name) for name in names]
        rows.append([design, *map(_priced, found)])
    return rows


def gaps(comparison: Comparison) -> Rows:
    """Return what is proven by network: how far objectives lie above their optima at most.

    Nothing where nothing is proven.
    """
    if all(entry.result.gap is None for entry in comparison.entries):
        return []
    rows = [["above the optimum at most", *comparison.workloads]]
    for design in comparison.designs:
        found = _gaps(comparison, design)
        rows.append([design, *("-" if gap is None else at_most(gap) for gap in found)])
    return rows


def terminal_table(comparison: Comparison) -> Table:
    """Return the relative EDPs as a table for the terminal, whose words must not be cut."""
    header, *rows = _with_gaps(comparison)
    predicted = any(entry.result.predicted for entry in comparison.entries)
    caption = "in brackets: EDP [uJ*cycles] and cycles"
    lines = [f"{caption}, as predicted" if predicted else caption, *notes(comparison)]
    table = Table(caption=Text("\n".join(lines)))
    for number, heading in enumerate(header):
        table.add_column(Text(heading), no_wrap=number == 0)
    for row in rows:
        table.add_row(*row)
    return table


def _with_gaps(comparison: Comparison) -> Rows:
    """Return the rows, with a column of the largest gap where something is proven."""
    rows = relative_rows(comparison)
    if not gaps(comparison):
        return rows
    largest = ["gap", *(_largest_gap(comparison, design) for design in comparison.designs)]
    return [[*row, cell] for row, cell in zip(rows, largest, strict=True)]


def _largest_gap(comparison: Comparison, design: str) -> str:
    found = _gaps(comparison, design)
    known = [gap for gap in found if gap is not None]
    return at_most(max(known)) if len(known) == len(found) else "-"


def _gaps(comparison: Comparison, design: str) -> list[float | None]:
    found = [comparison.entry(design, workload) for workload in comparison.workloads]
    return [None if entry is None else entry.result.gap for entry in found]


def _priced(network: NetworkResult | None) -> str:
    if network is None:
        return NONE_FITS
    price = "" if network.price is None else f" ({network.price:.4f}x)"
    return f"{scientific(network.edp)}{price}"


def _part(entry: Entry | None) -> str:
    if entry is None:
        return NONE_FITS
    mark = MARK if entry.cut_off else ""
    return f"{joules(entry.result.energy_uj)}, {counted(entry.cycles)}{mark}"
