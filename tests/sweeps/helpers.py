"""Sources of schedules that end the job that loads them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tests.helpers_schedules import MadeSchedules, made_schedules
from tilegrad.schedules import Schedules
from tilegrad.schedules.reading import Progress


@dataclass(frozen=True)
class EndingSource:
    """Made schedules; the job of a ``seed`` ends before it has them.

    ``how``: raise (an error of the code), exit (the process dies), interrupt (Ctrl-C, once).
    """

    seed: int
    ends: int
    how: str

    def load(self, progress: Progress | None = None) -> Schedules:  # noqa: ARG002
        """Return 60 rows, unless the job is to end."""
        if self.seed == self.ends:
            self._end()
        return made_schedules(MadeSchedules(each=2))

    def _end(self) -> None:
        if self.how == "exit":
            os._exit(9)
        if self.how == "raise":
            raise ZeroDivisionError("no schedule\nat all")
        mark = Path("interrupted")
        if not mark.exists():
            mark.touch()
            raise KeyboardInterrupt


def ending(ends: int, how: str) -> str:
    """Return the override of a source by which the job with the seed ``ends`` ends."""
    target = "tests.sweeps.helpers.EndingSource"
    return f"data.source={{_target_:{target},seed:${{seed}},ends:{ends},how:{how}}}"
