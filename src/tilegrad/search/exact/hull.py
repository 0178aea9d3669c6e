"""The least product of two sums, by supporting lines of their lower-left hull.

Each layer picks one row of (energy E, latency L). For a price p of a cycle, ``phi(p)`` is the sum
over layers of the least ``E + p L``: no choice lies below the line ``E + p L = phi(p)``. A figure
``E^a L^b`` is least at a corner of the region that a few such lines leave (the logarithm of it is
concave), which bounds all choices from below; lines are added at the least corner until it is a
choice itself, or good enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import inf

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Kept = NDArray[np.bool_]

MOST_LINES = 200

CLOSE = 1e-9
"""Relative distance below which a corner and a choice are the same."""


@dataclass(frozen=True)
class Line:
    """All choices have ``E + price * L >= value`` (price infinite: ``L >= value``), one has equal.

    That one picks ``rows [layer]`` and lies at ``energy`` and ``latency``; ``least [layer]`` add up
    to ``value``.
    """

    price: float
    least: Floats
    value: float
    energy: float
    latency: float
    rows: Places


@dataclass(frozen=True)
class Costs:
    """Energy and latency of rows ``[row]``; those of a layer lie together, from ``starts`` on."""

    energy: Floats
    latency: Floats
    starts: Places

    @property
    def sizes(self) -> Places:
        """How many rows each layer has, ``[layer]``."""
        return np.diff(self.starts, append=len(self.energy))

    def only(self, kept: Kept) -> Costs | None:
        """Return the costs of rows that are ``kept [row]``; None where a layer has none left."""
        sizes = np.add.reduceat(kept.astype(np.int64), self.starts)
        if not sizes.all():
            return None
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        return Costs(self.energy[kept], self.latency[kept], starts)

    def least_by_latency(self, kept: Kept) -> Kept:
        """Return which of the ``kept`` rows have the least energy of their layer and latency."""
        layers = np.repeat(np.arange(len(self.starts)), self.sizes)[kept]
        latency = self.latency[kept]
        order = np.lexsort((self.energy[kept], latency, layers))
        first = np.ones(len(order), dtype=bool)
        first[1:] = (np.diff(latency[order]) != 0) | (np.diff(layers[order]) != 0)
        found = np.empty(len(order), dtype=bool)
        found[order] = first
        return found

    def line(self, price: float) -> Line:
        """Return the supporting line at a price of a cycle; 0 and infinity are legal."""
        weighed = self.weighed(price)
        least = np.minimum.reduceat(weighed, self.starts)
        rows = self._rows(weighed, least)
        energy, latency = float(self.energy[rows].sum()), float(self.latency[rows].sum())
        return Line(price, least, float(least.sum()), energy, latency, rows)

    def weighed(self, price: float) -> Floats:
        """Return ``E + price * L`` of each row; ``L`` where the price is infinite."""
        return self.latency if price == inf else self.energy + price * self.latency

    def _rows(self, weighed: Floats, least: Floats) -> Places:
        """Return each layer's first row that has its least value."""
        found = np.flatnonzero(weighed == np.repeat(least, self.sizes))
        return found[np.searchsorted(found, self.starts)]


@dataclass(frozen=True)
class Least:
    """No choice has a figure below ``bound``; the best one found has ``value`` and picks ``rows``.

    ``lines``: those that show it, by price; ``searched``: the figure below which choices were
    searched for it, where they were. Of several networks' figures ``parts`` show it.
    """

    bound: float
    value: float
    rows: Places
    lines: tuple[Line, ...]
    searched: float | None = None
    parts: tuple[Least, ...] = ()

    @property
    def prices(self) -> tuple[float, ...]:
        """The prices of the lines."""
        return tuple(line.price for line in self.lines)


def least_product(
    costs: Costs, powers: tuple[float, float], enough: float, prices: tuple[float, ...] = ()
) -> Least:
    """Bound ``E**a * L**b`` from below, for powers (a, b), of which one may be 0.

    Ends early where the bound reaches ``enough``. ``prices`` are tried first. Under caps see
    ``capped``.
    """
    a, b = powers
    if a == 0 or b == 0:
        line = costs.line(0.0 if b == 0 else inf)
        bound = line.value ** (a or b)
        return Least(bound, bound, line.rows, (line,))

    def figure(energy: float, latency: float) -> float:
        return energy**a * latency**b

    lines = [costs.line(price) for price in sorted({0.0, inf, *prices})]
    while True:
        corners = [corner(low, high) for low, high in pairwise(lines)]
        figures = [figure(*corner) for corner in corners]
        place = int(np.argmin(figures))
        best = min(lines, key=lambda line: figure(line.energy, line.latency))
        value = figure(best.energy, best.latency)
        done = figures[place] >= min(enough, value * (1 - CLOSE)) or len(lines) >= MOST_LINES
        price = between(lines[place], lines[place + 1])
        if done or price is None:
            return Least(figures[place], value, best.rows, tuple(lines))
        lines.insert(place + 1, costs.line(price))


def inner(prices: tuple[float, ...]) -> tuple[float, ...]:
    """Return ascending prices without the ends and 0, which are tried anyhow."""
    return tuple(price for price in prices[1:-1] if price != 0)


def corner(low: Line, high: Line) -> tuple[float, float]:
    """Return energy and latency where two lines meet, the second of a higher price."""
    if high.price == inf:
        latency = high.value
    else:
        latency = (high.value - low.value) / (high.price - low.price)
    return low.value - low.price * latency, latency


def between(low: Line, high: Line) -> float | None:
    """Return the price at which the choices of two lines cost the same; None if not between."""
    saved = low.latency - high.latency
    if saved <= 0:
        return None
    price = (high.energy - low.energy) / saved
    return price if low.price < price < high.price else None
