"""The least product of two sums under caps on the second and on their ratio.

What lines leave of (energy E, latency L) is cut at ``L <= most`` and at ``E <= rate * L``; the
figure is least at a corner of what is left, or where a cut meets the lines. Choices that no price
picks may be better than all that one does, so that a gap can remain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from math import inf

import numpy as np
from numpy.typing import NDArray

from tilegrad.search.caps import ROUNDED, Caps
from tilegrad.search.exact.hull import (
    CLOSE,
    MOST_LINES,
    Costs,
    Least,
    Line,
    Places,
    between,
    corner,
)

Powers = tuple[float, float]


def least_capped(
    costs: Costs, powers: Powers, caps: Caps, enough: float, prices: tuple[float, ...] = ()
) -> Least | None:
    """Bound ``E**a * L**b`` from below where caps hold; None where no choice keeps to them.

    Ends early where the bound reaches ``enough``. ``prices`` are tried first. The value is
    infinite where no choice was found that keeps to the caps.
    """
    kept = _usable(costs, caps)
    sizes = np.add.reduceat(kept.astype(np.int64), costs.starts)
    if not sizes.all():
        return None
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    least = _least(
        Costs(costs.energy[kept], costs.latency[kept], starts), powers, caps, enough, prices
    )
    return None if least is None else replace(least, rows=np.flatnonzero(kept)[least.rows])


def _usable(costs: Costs, caps: Caps) -> NDArray[np.bool_]:
    """Return which rows some choice has that keeps to each cap, ``[row]``."""
    sizes = np.diff(costs.starts, append=len(costs.energy))
    kept = np.ones(len(costs.energy), dtype=bool)
    rate = caps.pj_per_cycle * ROUNDED
    for spent, most in ((costs.latency, caps.cycles * ROUNDED), (costs.energy, 0.0)):
        if most == inf or (most == 0.0 and rate == inf):
            continue
        each = spent if most else costs.energy - rate * costs.latency
        least = np.minimum.reduceat(each, costs.starts)
        # Beside the least of all other layers.
        kept &= each + np.repeat(least.sum() - least, sizes) <= most + 1e-9 * abs(spent).max()
    return kept


def _least(
    costs: Costs, powers: Powers, caps: Caps, enough: float, prices: tuple[float, ...]
) -> Least | None:
    lines = [costs.line(price) for price in sorted({0.0, inf, *prices})]
    while True:
        corners = [*_corners(lines, caps)]
        if not corners:
            return None
        bound, place = min((_figure(e, t, powers), place) for e, t, place in corners)
        held = [_figure(x.energy, x.latency, powers) for x in lines if _met(x, caps)]
        price = between(lines[place], lines[place + 1])
        enough_now = min(enough, min(held, default=inf) * (1 - CLOSE))
        if bound >= enough_now or price is None or len(lines) >= MOST_LINES:
            break
        lines.insert(place + 1, costs.line(price))
    value, rows = min(_choices(costs, lines, caps, powers), key=lambda each: each[0])
    rows = lines[place].rows if value == inf else rows
    value, rows = _polished(costs, rows, caps, powers)
    return Least(min(bound, value), value, rows, tuple(lines))


def _figure(energy: float, latency: float, powers: Powers) -> float:
    return float(max(energy, 0.0) ** powers[0] * max(latency, 0.0) ** powers[1])


def _met(line: Line, caps: Caps) -> bool:
    return _holds(line.energy, line.latency, caps)


def _holds(energy: float, latency: float, caps: Caps) -> bool:
    slow = latency > caps.cycles * ROUNDED
    return not slow and energy <= caps.pj_per_cycle * latency * ROUNDED


def _corners(lines: Sequence[Line], caps: Caps) -> Iterator[tuple[float, float, int]]:
    """Yield corners of what lines and caps leave, each with the place of the pair that it is of."""
    *finite, fastest = lines
    rate = caps.pj_per_cycle * ROUNDED
    low = max([fastest.value, *(line.value / (line.price + rate) for line in finite)])
    high = caps.cycles * ROUNDED
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


def _choices(
    costs: Costs, lines: Sequence[Line], caps: Caps, powers: Powers
) -> Iterator[tuple[float, Places]]:
    """Yield figures of choices, infinite where they exceed a cap: the lines', and between them."""
    for line in lines:
        held = _met(line, caps)
        yield _figure(line.energy, line.latency, powers) if held else inf, line.rows
    for pair in pairwise(lines):
        for one, other in (pair, pair[::-1]):
            if _met(one, caps) and not _met(other, caps):
                yield _between(costs, one, other, caps, powers)


def _between(
    costs: Costs, one: Line, other: Line, caps: Caps, powers: Powers
) -> tuple[float, Places]:
    """Return a choice that keeps to the caps, layers as in another one where better."""
    rows = one.rows.copy()
    energy, latency = one.energy, one.latency
    best = _figure(energy, latency, powers)
    for layer, (here, there) in enumerate(zip(one.rows, other.rows, strict=True)):
        e = energy + float(costs.energy[there] - costs.energy[here])
        t = latency + float(costs.latency[there] - costs.latency[here])
        found = _figure(e, t, powers)
        if found < best and _holds(e, t, caps):
            best, energy, latency, rows[layer] = found, e, t, there
    return best, rows


def _polished(costs: Costs, rows: Places, caps: Caps, powers: Powers) -> tuple[float, Places]:
    """Return the best choice that differs in one layer after another, and its figure.

    Infinite where none keeps to the caps.
    """
    rows = rows.copy()
    ends = np.append(costs.starts, len(costs.energy))
    best = inf
    for layer in range(len(rows)):
        every = slice(ends[layer], ends[layer + 1])
        energy = costs.energy[rows].sum() - costs.energy[rows[layer]] + costs.energy[every]
        latency = costs.latency[rows].sum() - costs.latency[rows[layer]] + costs.latency[every]
        held = (latency <= caps.cycles * ROUNDED) & (
            energy <= caps.pj_per_cycle * ROUNDED * latency
        )
        figures = np.where(held, energy ** powers[0] * latency ** powers[1], inf)
        place = int(np.argmin(figures))
        if figures[place] < inf:
            best, rows[layer] = float(figures[place]), ends[layer] + place
    return best, rows
