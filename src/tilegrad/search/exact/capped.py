"""The least product of two sums under caps on the second and on their ratio.

What lines leave of (energy E, latency L) is cut at ``L <= most`` and at ``E <= rate * L``; the
figure is then least at a corner of what is left, or where a cut meets the lines. What spends less a
cycle may have to be slower: lines of negative prices bound that, down to ``-rate``. At the least
place the bound may be one of mixtures of two choices, which no design has: choices that caps and
lines leave below a figure are then searched one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf

import numpy as np

from tilegrad.search.caps import ROUNDED, Caps
from tilegrad.search.exact.choices import Powers, best_choice, figure, is_met
from tilegrad.search.exact.combined import Searched, search_choices, useful
from tilegrad.search.exact.hull import (
    CLOSE,
    MOST_LINES,
    Costs,
    Floats,
    Least,
    Line,
    between,
    corner,
)

NEGLIGIBLE = 1e-4
"""Share of the best figure below which its distance from the bound is not looked into."""

ABOVE = 1e300
"""More than any figure: in place of an infinite one."""

FEW = 0.9
"""Share of rows from which it does not pay to leave more of them out before the search."""


@dataclass(frozen=True)
class Capped:
    """What is minimised, ``E**a * L**b``, and the caps.

    ``exact``: latencies are those of mappings, and not least ones of a range of meshes.
    """

    powers: Powers
    caps: Caps
    exact: bool

    @property
    def rate(self) -> float:
        """The most pJ a cycle."""
        return self.caps.pj_per_cycle * ROUNDED

    @property
    def most(self) -> float:
        """The most cycles."""
        return self.caps.cycles * ROUNDED

    @property
    def is_told(self) -> bool:
        """Whether a choice's energy and latency tell that it exceeds a cap.

        Not in a range of meshes: a mapping that is slower on some of them draws less power.
        """
        return self.exact or self.rate == inf

    @property
    def base(self) -> tuple[float, ...]:
        """Prices of the first lines, ascending."""
        return (-self.rate, 0.0, inf) if self.exact and self.rate < inf else (0.0, inf)

    @property
    def numbers(self) -> Floats:
        """All of it for compiled code."""
        return np.array([*self.powers, self.most, self.rate], dtype=np.float64)


def least_capped(
    costs: Costs,
    goal: Capped,
    enough: float,
    prices: tuple[float, ...] = (),
    whole: bool = False,
) -> Least:
    """Bound ``E**a * L**b`` from below where caps hold: infinite where no choice keeps to them.

    Ends early where the bound reaches ``enough``. Choices are searched where none is known below
    that; or in any case, to their best, for the ``whole`` bound. ``prices`` are tried first. The
    value is infinite where no choice was found that keeps to the caps.
    """
    bound, lines = _bound(costs, goal, enough, prices)
    if bound == inf:
        return Least(inf, inf, np.zeros(0, np.int64), lines)
    value, rows = best_choice(costs, lines, goal.caps, goal.powers)
    top = min(enough, value * (1 - NEGLIGIBLE))
    if goal.is_told and bound < top and (whole or value >= enough):
        found = _searched(costs, lines, goal, top, not whole)
        if found.rows is not None:
            value, rows = found.value, found.rows
        if found.ended:
            least = min(enough, value * (1 - NEGLIGIBLE))
            return Least(max(bound, least), value, rows, lines, min(least, ABOVE))
    return Least(min(bound, value), value, rows, lines)


def _bound(
    costs: Costs, goal: Capped, enough: float, prices: tuple[float, ...] = ()
) -> tuple[float, tuple[Line, ...]]:
    """Return the bound that lines give, and the lines by price; infinite where caps leave none."""
    lines = [costs.line(price) for price in sorted({*goal.base, *prices})]
    while True:
        corners = [*_corners(lines, goal)]
        if not corners:
            return inf, tuple(lines)
        bound, place = min((figure(e, t, goal.powers), place) for e, t, place in corners)
        held = [figure(x.energy, x.latency, goal.powers) for x in lines if is_met(x, goal.caps)]
        price = between(lines[place], lines[place + 1])
        enough_now = min(enough, min(held, default=inf) * (1 - CLOSE))
        if bound >= enough_now or price is None or len(lines) >= MOST_LINES:
            return bound, tuple(lines)
        lines.insert(place + 1, costs.line(price))


def _searched(
    costs: Costs, lines: tuple[Line, ...], goal: Capped, below: float, first: bool
) -> Searched:
    """Search the choices with a figure below ``below``.

    First rows are left out that none of these can have; the lines of the others tell of more.
    """
    rows, left = np.arange(len(costs.energy)), costs
    while True:
        kept = useful(left, lines, goal.numbers, below)
        kept[kept] = left.least_by_latency(kept)
        part = left.only(kept)
        if part is None:
            return Searched(inf, None, True)
        few = kept.sum() > FEW * len(rows)
        rows, left = rows[kept], part
        bound, lines = _bound(left, goal, below)
        if bound >= below:
            return Searched(inf, None, True)
        if few:
            break
    found = search_choices(left, lines, goal.numbers, below, NEGLIGIBLE, first)
    return replace(found, rows=None if found.rows is None else rows[found.rows])


def _corners(lines: Sequence[Line], goal: Capped) -> Iterator[tuple[float, float, int]]:
    """Yield corners of what lines and caps leave, each with the place of the pair that it is of."""
    *finite, fastest = lines
    rate, high = goal.rate, goal.most
    if finite[0].price == -rate and finite[0].value > 1e-9 * finite[0].energy:
        return
    limits = [x.value / (x.price + rate) for x in finite if x.price > -rate]
    low = max([fastest.value, *limits])
    if low > high:
        return
    for place, pair in enumerate(pairwise(lines)):
        energy, latency = corner(*pair)
        if low <= latency <= high:
            yield energy, latency, place
    for cut, places in (
        (low, [i for i, x in enumerate(finite) if x.energy <= rate * x.latency]),
        (high, [i for i, x in enumerate(finite) if x.latency >= high]),
    ):
        if cut < inf:
            energy = max(line.value - line.price * cut for line in finite)
            yield energy, cut, max(places, default=0)
