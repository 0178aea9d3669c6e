"""The least product of two sums under caps on the second and on their ratio.

What lines leave of (energy E, latency L) is cut at ``L <= most`` and at ``E <= rate * L``; the
figure is least at a corner of what is left, or where a cut meets the lines. There it may be one of
mixtures of two choices: the mappings of one layer are then divided, and the parts bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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

POWER_STEPS = 5
PASSES = 3

MOST_NODES = 64
"""Parts of the choices that are bounded by themselves."""

NEGLIGIBLE = 1e-4
"""Share of the best figure below which its distance from the bound is not looked into."""


def least_capped(
    costs: Costs, powers: Powers, caps: Caps, enough: float, prices: tuple[float, ...] = ()
) -> Least | None:
    """Bound ``E**a * L**b`` from below where caps hold; None where no choice keeps to them.

    Ends early where the bound reaches ``enough``. ``prices`` are tried first. The value is
    infinite where no choice was found that keeps to the caps.
    """
    root = _node(costs, np.arange(len(costs.energy)), powers, caps, enough, prices)
    if root is None:
        return None
    best, nodes, made = root.least, [root], 1
    while nodes and made < MOST_NODES:
        first = min(nodes, key=lambda node: node.least.bound)
        if first.least.bound >= min(enough, best.value * (1 - NEGLIGIBLE)):
            break
        halves = _halves(first)
        if not halves:
            break
        nodes.remove(first)
        for rows in halves:
            node = _node(costs, rows, powers, caps, enough, root.least.prices[1:-1])
            made += 1
            if node is not None:
                nodes.append(node)
                best = min(best, node.least, key=lambda least: least.value)
    bound = min([best.value, *(node.least.bound for node in nodes)])
    return replace(best, bound=bound, lines=root.least.lines)


@dataclass(frozen=True)
class _Node:
    """A part of all choices: those of ``rows``, which are ``costs``; ``pair``: the least corner's.

    ``least``: what is known of it; its rows are of all.
    """

    rows: Places
    costs: Costs
    pair: tuple[Line, Line]
    least: Least


def _node(
    every: Costs,
    rows: Places,
    powers: Powers,
    caps: Caps,
    enough: float,
    prices: tuple[float, ...],
) -> _Node | None:
    """Return what is known of the choices of some rows; None where none keeps to the caps."""
    found = _part(every, rows)
    if found is None:
        return None
    rows = rows[_usable(found, caps)]
    costs = _part(every, rows)
    if costs is None:
        return None
    known = _least(costs, powers, caps, enough, prices)
    if known is None:
        return None
    least, pair = known
    return _Node(rows, costs, pair, replace(least, rows=rows[least.rows]))


def _part(every: Costs, rows: Places) -> Costs | None:
    """Return the costs of some rows, in ascending order; None where a layer has none."""
    starts = np.searchsorted(rows, every.starts)
    if (np.diff(starts, append=len(rows)) == 0).any():
        return None
    return Costs(every.energy[rows], every.latency[rows], starts)


def _halves(node: _Node) -> list[Places]:
    """Return the rows of two parts, of a layer's faster and slower mappings; none if no layer's.

    Of the layer that differs most between the choices of the least corner: between them the bound
    takes a mixture of both, which no design has.
    """
    one, other = (node.costs.latency[line.rows] for line in node.pair)
    layer = int(np.argmax(abs(one - other)))
    if one[layer] == other[layer]:
        return []
    ends = np.append(node.costs.starts, len(node.rows))
    inside = np.zeros(len(node.rows), dtype=bool)
    inside[ends[layer] : ends[layer + 1]] = True
    slow = node.costs.latency > (one[layer] + other[layer]) / 2
    return [node.rows[~(inside & slow)], node.rows[~(inside & ~slow)]]


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
) -> tuple[Least, tuple[Line, Line]] | None:
    """Return what lines tell of all choices, and the pair of lines whose corner is least."""
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
    rows = coolest(costs).rows if value == inf else rows
    value, rows = _polished(costs, rows, caps, powers)
    least = Least(min(bound, value), value, rows, tuple(lines))
    return least, (lines[place], lines[place + 1])


def coolest(costs: Costs) -> Line:
    """Return the line of about the least power: where E / L is least, so is E - (E / L) L."""
    line = costs.line(0.0)
    for _ in range(POWER_STEPS):
        line = costs.line(-line.energy / line.latency)
    return line


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
    """Return the best choice that differs in one layer after another, a few times, and its figure.

    Infinite where none keeps to the caps.
    """
    rows = rows.copy()
    ends = np.append(costs.starts, len(costs.energy))
    best = inf
    for layer in PASSES * [*range(len(rows))]:
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
