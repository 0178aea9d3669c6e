"""Where schedules come from, and the progress bar while they come."""

from __future__ import annotations

from typing import Protocol

from rich.console import Console

from tilegrad.schedules.reading import Progress
from tilegrad.schedules.schedules import Schedules
from tilegrad.tables.progress import progress_bar


class Source(Protocol):
    """Gives schedules; see ``conf/source/``."""

    def load(self, progress: Progress | None = None) -> Schedules:
        """Return the schedules; refuses what is malformed with a ``TilegradError``.

        ``progress`` is told the rows so far and the fraction done.
        """
        ...


def load_shown(source: Source, console: Console) -> Schedules:
    """Load with a progress bar, where the console is a terminal."""
    with progress_bar(console, "schedules") as progress:
        return source.load(progress)
