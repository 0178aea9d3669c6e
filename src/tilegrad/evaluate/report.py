"""What a person sees of an evaluation: a progress bar, then a summary."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from tilegrad.evaluate.accuracy import THRESHOLDS, Accuracy
from tilegrad.evaluate.run import Summary
from tilegrad.tables.faults import FaultTally


@contextmanager
def progress_bar(console: Console, title: str) -> Iterator[Callable[[int, float], None] | None]:
    """Show a bar with rows per second; yields the function to call with rows and fraction.

    Yields None, and shows nothing, where the console is not a terminal.
    """
    if not console.is_interactive:
        yield None
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f} rows/s"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    task = bar.add_task(escape(title), total=1.0, rows=0, rate=0.0)
    start = time.perf_counter()

    def update(rows: int, fraction: float) -> None:
        rate = rows / max(time.perf_counter() - start, 1e-9)
        bar.update(task, completed=fraction, rows=rows, rate=rate)

    with bar:
        yield update


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
