"""What mappings of a network's layers ask of hardware: rows of figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Mappings of a network's layers, all executions together; those of a layer from ``starts`` on.

    ``constant [row]``: pJ that no size changes; ``words [row, group]`` of ``Rates.groups``, and
    ``rates [row, group]``, what these cost at least on hardware that holds the mapping [pJ];
    ``cycles [row]`` at the widest ports; ``needed [row, step]``: least sizes of the parameters that
    mappings tell, in the order of the plan's steps; ``place [row]``: the mapping's place in its
    layer's list; ``largest [step]``: sizes that no mapping needs more of on any mesh of the range.
    """

    constant: Floats
    words: Floats
    rates: Floats
    cycles: Floats
    needed: Floats
    place: Places
    starts: Places
    largest: Floats

    def __len__(self) -> int:
        return len(self.constant)

    def only(self, kept: NDArray[np.bool_]) -> Rows | None:
        """Return the rows that are ``kept``; None where some layer has none left."""
        sizes = np.add.reduceat(kept.astype(np.int64), self.starts)
        if not sizes.all():
            return None
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        return Rows.of([part[kept] for part in self.parts], self.place[kept], starts, self.largest)

    def pick(self, rows: Places) -> Rows:
        """Return one row of each layer."""
        found = [part[rows] for part in self.parts]
        return Rows.of(found, self.place[rows], np.arange(len(rows)), self.largest)

    @property
    def parts(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """The figures, in the order of the fields."""
        return self.constant, self.words, self.rates, self.cycles, self.needed

    @classmethod
    def join(cls, layers: Sequence[Rows]) -> Rows:
        """Return the rows of several layers."""
        sizes = [len(each) for each in layers]
        joined = [*map(np.concatenate, zip(*(each.parts for each in layers), strict=True))]
        place = np.concatenate([each.place for each in layers])
        largest = np.maximum.reduce([each.largest for each in layers])
        return cls.of(joined, place, np.cumsum([0, *sizes[:-1]]), largest)

    @classmethod
    def of(cls, parts: Sequence[Floats], place: Places, starts: Places, largest: Floats) -> Rows:
        """Invert ``parts``."""
        constant, words, rates, cycles, needed = parts
        return cls(constant, words, rates, cycles, needed, place, starts, largest)
