"""The live progress bar of a search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tilegrad.search.state import Observer, SearchState


@contextmanager
def live_progress(strategy: str, show: bool) -> Iterator[Observer]:
    """Yield an observer that shows phase, best EDP, samples per second and the time left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[best]}"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True, quiet=not show)
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(strategy, total=1.0, best="EDP -", rate="")

        def observe(state: SearchState) -> None:
            progress.update(
                task,
                description=f"{strategy}: {state.phase}",
                completed=state.fraction,
                best=f"EDP {state.edp:.4g}{_gap(state)}",
                rate=f"{state.samples / max(state.seconds, 1e-3):,.0f} samples/s",
            )

        yield observe


def _gap(state: SearchState) -> str:
    """Return how far the best design is from the proven bound, where there is one."""
    return "" if state.gap is None else f", at most {100 * state.gap:.3g} % above the optimum"


@contextmanager
def share_progress(what: str, show: bool) -> Iterator[Callable[[float], None]]:
    """Yield what shows the share of some work that is done."""
    console = Console(stderr=True, quiet=not show)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(what, total=1.0)
        yield lambda share: progress.update(task, completed=min(1.0, share))
