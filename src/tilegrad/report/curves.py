"""How fast each design's search gets where: over samples and over seconds, of all seeds.

On one axis with what is proven: figures are EDPs over the best bound of the network's optimum, or,
where nothing is proven, over the least EDP found.
"""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tilegrad.report.comparison import GEOMEAN, Comparison
from tilegrad.report.history import History
from tilegrad.report.searched import Entry, Unfit
from tilegrad.report.seeds import geometric_mean, interval

AXES = SAMPLES, SECONDS = ("samples", "seconds")

AT = {SAMPLES: (100.0, 1_000.0, 10_000.0), SECONDS: (1.0, 10.0, 100.0)}
"""Where the table reads the curves."""

MARKS_PER_DECADE = 20


@dataclass(frozen=True)
class Curve:
    """A design's EDP over ``Comparison``'s floor on one network, or in the mean of all.

    ``at`` samples or seconds, the geometric ``mean`` of the seeds and the ends of its interval.
    """

    design: str
    network: str
    axis: str
    at: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def floor(comparison: Comparison, network: str) -> tuple[float, bool]:
    """Return the EDP that none undercuts, and whether that is proven; else the least one found."""
    runs = [each for each in comparison.entries if each.result.workload == network]
    proven = [
        each.result.edp / (1 + each.result.gap)
        for each in runs
        if each.result.gap is not None and each.result.objective == "edp"
    ]
    return (max(proven), True) if proven else (min(each.result.edp for each in runs), False)


def curves(comparison: Comparison, axis: str) -> list[Curve]:
    """Return each design's curve on each network, and on all of them in the geometric mean."""
    marks = _marks(comparison, axis)
    found = []
    for design in comparison.designs:
        tables = [_table(comparison, design, each, axis, marks) for each in comparison.workloads]
        for network, table in zip(comparison.workloads, tables, strict=True):
            found.append(_curve(design, network, axis, marks, table))
        if len(tables) > 1:
            found.append(_curve(design, GEOMEAN, axis, marks, _mean(tables)))
    return found


Table = list[list[float | None]]
"""Of each seed the ratio at each mark; None before its first design."""


def _table(
    comparison: Comparison, design: str, network: str, axis: str, marks: Sequence[float]
) -> Table:
    least, _ = floor(comparison, network)
    return [
        [None if (edp := _best(run, axis, mark)) is None else edp / least for mark in marks]
        for run in comparison.searched(design, network)
    ]


def _mean(tables: Sequence[Table]) -> Table:
    """Return each seed's geometric mean over the networks, as far as all of them have the seed."""
    return [
        [
            None if any(each is None for each in cells) else geometric_mean(_known(cells))
            for cells in zip(*seed, strict=True)
        ]
        for seed in zip(*tables, strict=False)
    ]


def _known(cells: Sequence[float | None]) -> list[float]:
    return [each for each in cells if each is not None]


def _curve(design: str, network: str, axis: str, marks: Sequence[float], table: Table) -> Curve:
    """Return the curve from where every seed has a design."""
    rows = []
    for mark, cells in zip(marks, zip(*table, strict=True), strict=True):
        ratios = _known(cells)
        if len(ratios) == len(cells):
            rows.append((mark, geometric_mean(ratios), *interval(ratios)))
    columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Curve(design, network, axis, *(tuple(column) for column in columns))


def _best(run: Entry | Unfit, axis: str, mark: float) -> float | None:
    """Return the EDP of a run's best design so far."""
    if isinstance(run, Unfit):
        return None
    history = _history(run)
    reached = bisect_right(getattr(history, axis), mark)
    return history.edp[reached - 1] if reached else None


def _history(run: Entry) -> History:
    assert run.history is not None
    return run.history


def _marks(comparison: Comparison, axis: str) -> list[float]:
    """Return places of equal ratios from the first design of any search to the end of all."""
    every = [getattr(_history(run), axis) for run in comparison.entries]
    first = max(min(each[0] for each in every), 1.0 if axis == SAMPLES else 0.1)
    last = max(first, *(each[-1] for each in every))
    ratio = 10 ** (1 / MARKS_PER_DECADE)
    marks = [first]
    while marks[-1] < last:
        marks.append(min(marks[-1] * ratio, last))
    return sorted({*marks, *(at for at in AT[axis] if first <= at)})


def curves_csv(found: Sequence[Curve]) -> str:
    """Return the curves as a table, a row for each mark."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("network", "design", "axis", "at", "edp_over_floor", "lowest", "highest"))
    for curve in found:
        for row in zip(curve.at, curve.mean, curve.low, curve.high, strict=True):
            cells = [f"{figure:.6g}" for figure in row]
            table.writerow([curve.network, curve.design, curve.axis, *cells])
    return text.getvalue()


def curves_table(comparison: Comparison, found: Sequence[Curve]) -> list[list[str]]:
    """Return a header, then a row per design: the mean over the networks at a few places."""
    network = GEOMEAN if len(comparison.workloads) > 1 else comparison.workloads[0]
    places = [(axis, at) for axis in AXES for at in AT[axis]]
    header = [f"EDP over its floor, {network}, at", *(f"{at:g} {axis}" for axis, at in places)]
    shown = {(c.design, c.axis): c for c in found if c.network == network}
    return [
        header,
        *(
            [design, *(_cell(shown[design, axis], at) for axis, at in places)]
            for design in comparison.designs
        ),
    ]


def _cell(curve: Curve, at: float) -> str:
    if at not in curve.at:
        return "-"
    place = curve.at.index(at)
    low, high = curve.low[place], curve.high[place]
    ends = f" ({low:.3g} to {high:.3g})" if low < high else ""
    return f"{curve.mean[place]:.3g}{ends}"


def floor_name(comparison: Comparison) -> str:
    """Return what all figures are over: the proven bound, the least found, or some of either."""
    proven = [floor(comparison, network)[1] for network in comparison.workloads]
    if all(proven):
        return "the proven bound"
    return "the bound, or the least found" if any(proven) else "the least found"


def floors(comparison: Comparison) -> Iterator[str]:
    """Yield a sentence for each network: what its figures are divided by."""
    for network in comparison.workloads:
        least, proven = floor(comparison, network)
        what = "which no design of the mapspace undercuts" if proven else "the least found"
        yield f"{network}: EDP over {least:.6g} uJ*cycles, {what}."


def without_curve(comparison: Comparison) -> Iterator[str]:
    """Yield a sentence of the designs that have no curve, as a seed of theirs found no design."""
    pairs = dict.fromkeys((each.design, each.workload) for each in comparison.unfit)
    if pairs:
        told = ", ".join(f"{design} on {workload}" for design, workload in pairs)
        mean = ", here and in the mean of all," if len(comparison.workloads) > 1 else ""
        yield f"Without a curve{mean} as a seed found no design that fits: {told}."
