"""``tilegrad verify``: a search's result and its certificate, checked by code of their own."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from tilegrad.checks import positive_int
from tilegrad.errors import ConfigError

if TYPE_CHECKING:
    from tilegrad.verify.searched import Observer

DESCRIPTION = "Check a search's result, and what its certificate proves, by independent code."

MOST_SECONDS = 600.0
"""What recomputing takes by default, about."""


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("directory", metavar="RUN", type=Path, help="the run's directory")
    parser.add_argument(
        "--sample",
        type=int,
        metavar="N",
        help="recompute the bounds of N cells or layers (default: what takes ten minutes)",
    )
    parser.add_argument("--all", action="store_true", help="recompute all, whatever it takes")
    parser.add_argument("--seed", type=int, default=0, help="which cells are drawn")


def run(arguments: Namespace) -> None:
    """Check, and print what is proven."""
    from tilegrad.verify import verify

    if arguments.sample is not None:
        positive_int("--sample", arguments.sample)
        if arguments.all:
            raise ConfigError("--sample and --all are given; legal: one of them")
    most = inf if arguments.all else MOST_SECONDS
    with _shown() as observe:
        verdict = verify(arguments.directory, arguments.sample, arguments.seed, most, observe)
    print(verdict)


@contextmanager
def _shown() -> Iterator[Observer]:
    """Say first how long it takes, and show a bar where there is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    from tilegrad.verify.searched import spoken

    console = Console(stderr=True)
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task("recomputing", total=None)

    def observe(done: float, total: float, what: str) -> None:
        if done == 0:
            console.print(f"recomputing {what}: {spoken(total)} of one core", highlight=False)
            bar.update(task, total=total)
        bar.update(task, completed=done)

    with bar:
        yield observe
