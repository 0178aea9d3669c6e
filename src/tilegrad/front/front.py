"""A front: its designs, with the files of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from tilegrad.front.baseline import Baseline
from tilegrad.front.figures import Figure
from tilegrad.front.pareto import hypervolume, nondominated
from tilegrad.record import Result

WORST = 1.1
"""How many times the worst of the designs a front is measured from, by default."""


@dataclass(frozen=True)
class Found:
    """A design that was searched for under ``caps``; ``place``: its directory in the front's."""

    place: str
    caps: Mapping[str, float]
    result: Result


@dataclass(frozen=True)
class Front:
    """Designs, those that others dominate too; ``infeasible``: caps that no design kept to.

    ``baseline``: random designs' front beside it, where one was asked for.
    """

    figures: tuple[Figure, ...]
    found: tuple[Found, ...]
    infeasible: tuple[tuple[Mapping[str, float], str], ...]
    directory: Path
    baseline: Baseline | None = None

    @cached_property
    def values(self) -> list[list[float]]:
        """Each design's figures."""
        return [[figure.of(each.result) for figure in self.figures] for each in self.found]

    @cached_property
    def on(self) -> tuple[Found, ...]:
        """The designs on the front, by the second figure."""
        kept = sorted(nondominated(self.values), key=lambda place: self.values[place][1:])
        return tuple(self.found[place] for place in kept)

    @property
    def reference(self) -> list[float]:
        """``WORST`` times the worst of each figure, found or of the baseline."""
        others = [] if self.baseline is None else self.baseline.values
        return worst([*self.values, *others])

    def hypervolume(self, reference: Sequence[float] | None = None) -> float:
        """Return what the front dominates up to a reference, in decades of each figure.

        By default its own: fronts that are to be compared want the same one.
        """
        return decades(self.values, reference or self.reference)


def worst(values: Sequence[Sequence[float]]) -> list[float]:
    """Return ``WORST`` times the worst of each figure of designs ``[design][figure]``."""
    return [WORST * max(column) for column in zip(*values, strict=True)]


def decades(values: Sequence[Sequence[float]], reference: Sequence[float]) -> float:
    """Return the hypervolume of designs ``[design][figure]`` in decades of each figure."""
    return hypervolume(np.log10(values).tolist(), np.log10(reference).tolist())
