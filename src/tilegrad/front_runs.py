"""Finished fronts in Python: their tables, pictures, and the design behind each point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tilegrad.runs import Run, SearchRun

if TYPE_CHECKING:
    import pandas as pd

FRONT, FRONTS = "front.csv", "fronts.csv"
"""Files that a front leaves, and several over a swept parameter."""


@dataclass(frozen=True)
class FrontRun(Run):
    """A Pareto front, or several over a swept parameter (then with a column for it)."""

    reader: Callable[[Path], SearchRun] = field(kw_only=True, repr=False)

    @cached_property
    def designs(self) -> pd.DataFrame:
        """A row for each design found: figures, caps, sizes, ``on_front``, ``gap``, ``place``."""
        import pandas as pd

        several = self.directory / FRONTS
        return pd.read_csv(several if several.exists() else self.directory / FRONT)

    @property
    def front(self) -> pd.DataFrame:
        """The designs that no other one dominates, the least of the second figure first."""
        kept = self.designs[self.designs.on_front == 1]
        figures = [name for name in kept.columns[:3] if f"cap_{name}" in kept.columns]
        return kept.sort_values(figures).reset_index(drop=True)

    def design(self, place: str) -> SearchRun:
        """Return the search behind a point, by the ``place`` of its row."""
        return self.reader(self.directory / place)

    def _repr_html_(self) -> str:
        return self.front.to_html() + self._pictures()
