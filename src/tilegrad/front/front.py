"""A front: its designs, with the files of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from tilegrad.front.figures import Figure
from tilegrad.front.pareto import hypervolume, nondominated
from tilegrad.record import Result

WORST = 1.1
"""How many times the worst of its own designs a front is measured from, by default."""


@dataclass(frozen=True)
class Found:
    """A design that was searched for under ``caps``; ``place``: its directory in the front's."""

    place: str
    caps: Mapping[str, float]
    result: Result


@dataclass(frozen=True)
class Front:
    """Designs, those that others dominate too; ``infeasible``: caps that no design kept to."""

    figures: tuple[Figure, ...]
    found: tuple[Found, ...]
    infeasible: tuple[tuple[Mapping[str, float], str], ...]
    directory: Path

    @cached_property
    def values(self) -> list[list[float]]:
        """Each design's figures."""
        return [[figure.of(each.result) for figure in self.figures] for each in self.found]

    @cached_property
    def on(self) -> tuple[Found, ...]:
        """The designs on the front, by the second figure."""
        kept = sorted(nondominated(self.values), key=lambda place: self.values[place][1:])
        return tuple(self.found[place] for place in kept)

    def hypervolume(self, reference: Sequence[float] | None = None) -> float:
        """Return what the front dominates up to a reference, in decades of each figure.

        The reference is by default ``WORST`` times the worst of each figure found: fronts that are
        to be compared want the same one.
        """
        ends = reference or [WORST * max(column) for column in zip(*self.values, strict=True)]
        return hypervolume(np.log10(self.values).tolist(), np.log10(ends).tolist())
