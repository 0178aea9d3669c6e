"""A progress bar over rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


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
