"""What a person sees of an evaluation: a summary."""

from __future__ import annotations

import math

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tilegrad.evaluate.accuracy import THRESHOLDS, Accuracy
from tilegrad.evaluate.run import Summary
from tilegrad.tables.faults import FaultTally


def print_summary(summary: Summary, console: Console) -> None:
    """Print the rows, their rate, the refused ones by reason, and the errors."""
    rate = summary.rows / summary.seconds
    console.print(
        f"{summary.evaluated:,} rows evaluated in {summary.seconds:.2f} s ({rate:,.0f} rows/s)"
    )
    _print_faults(summary.faults, console)
    if summary.accuracy:
        console.print(_accuracy_table(summary.accuracy))
    for name, accuracy in summary.accuracy.items():
        _print_notes(name, accuracy, console)


def _print_faults(faults: FaultTally, console: Console) -> None:
    for rule, count in faults.counts.most_common():
        first = escape(str(faults.first[rule]))
        console.print(f"skipped {count:,} x {escape(rule)}; first: {first}", soft_wrap=True)


def _accuracy_table(accuracy: dict[str, Accuracy]) -> Table:
    table = Table(title="relative errors against the references, in %: share of rows, sizes")
    table.add_column("", no_wrap=True)
    for heading in (*(f"<= {100 * limit:g}" for limit in THRESHOLDS), "median", "max", "MAPE"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, errors in accuracy.items():
        worst = abs(errors.worst.error) if errors.worst else math.nan
        shares = [_share(share) for share in errors.shares.values()]
        sizes = [f"{100 * size:.2g}" for size in (errors.median, worst, errors.mean)]
        table.add_row(name, *shares, *sizes)
    return table


def _share(share: float) -> str:
    """Cut, not rounded: 100 means all rows."""
    return "nan" if math.isnan(share) else f"{math.floor(share * 1e5) / 1e3:.3f}"


def _print_notes(name: str, accuracy: Accuracy, console: Console) -> None:
    if accuracy.without_reference:
        console.print(f"{name}: {accuracy.without_reference:,} rows without a reference, left out")
    if accuracy.worst:
        worst = accuracy.worst
        console.print(
            f"{name}: largest error {100 * worst.error:+.2g} % in row {worst.row}, "
            f"{escape(worst.mapping)}",
            soft_wrap=True,
        )
