"""All choices of a row of each layer that caps leave, below a figure: depth first, compiled.

Lines tell what the layers to come add at least; rows that no choice below the figure can have are
left out first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from tilegrad.search.exact.hull import Costs, Floats, Kept, Line, Places
from tilegrad.search.exact.mapper.compiled import compiled

Array = np.ndarray

STEPS = {True: 1_000_000, False: 4_000_000}
"""Rows that are tried for any choice and for the best one: a tenth of a second, and a quarter."""

ROUNDING = 1e-9


@dataclass(frozen=True)
class Searched:
    """The best choice found below a figure, if there is one; ``ended``: there is no better one."""

    value: float
    rows: Places | None
    ended: bool


def useful(costs: Costs, lines: Sequence[Line], goal: Floats, below: float) -> Kept:
    """Return which rows a choice with a figure below ``below`` can have by lines, ``[row]``.

    ``goal``: powers, most cycles and most pJ a cycle.
    """
    rest = np.stack([np.repeat(x.value - x.least, costs.sizes) for x in lines], 1)
    found: Kept = _below(_weighed(costs, lines) + rest, _prices(lines), _told(costs, goal), below)
    return found


def search_choices(
    costs: Costs, lines: Sequence[Line], goal: Floats, below: float, share: float, first: bool
) -> Searched:
    """Search choices with a figure below ``below``, and then those better by more than a ``share``.

    ``goal`` as for ``useful``. ``first``: any choice will do.
    """
    order = np.argsort(costs.sizes, kind="stable")
    # What is likely first: a choice that is found early leaves less to search.
    likely = costs.weighed(max(lines, key=lambda line: _slowness(line, goal)).price)
    layers = np.repeat(np.argsort(order), costs.sizes)
    rows = np.lexsort((likely, layers))
    starts = np.concatenate([[0], np.cumsum(costs.sizes[order])])
    least = np.stack([line.least for line in lines], 1)[order]
    after = np.concatenate([np.cumsum(least[::-1], 0)[::-1], np.zeros((1, len(lines)))])
    both = np.stack([costs.energy[rows], costs.latency[rows]], 1)
    weighed, told = _weighed(costs, lines)[rows], _told(costs, goal)
    limits = below, share, first, STEPS[first]
    best, picked, ended = _search(weighed, both, _prices(lines), starts, after, told, limits)
    if picked[0] < 0:
        return Searched(inf, None, ended)
    found = np.empty(len(order), np.int64)
    found[order] = rows[picked]
    return Searched(best, found, ended)


def _slowness(line: Line, goal: Floats) -> float:
    """Return how many cycles a line says that choices take at least."""
    if line.price == inf:
        return line.value
    return line.value / (line.price + goal[3]) if line.price > -goal[3] else -inf


def _weighed(costs: Costs, lines: Sequence[Line]) -> Floats:
    return np.stack([costs.weighed(line.price) for line in lines], 1)


def _prices(lines: Sequence[Line]) -> Floats:
    return np.array([line.price for line in lines])


def _told(costs: Costs, goal: Floats) -> Floats:
    """Return the goal, and what rounding makes of energies."""
    return np.append(goal, ROUNDING * abs(costs.energy).max())


@compiled
def _search(
    weighed: Array,
    both: Array,
    prices: Array,
    starts: Array,
    after: Array,
    goal: Array,
    limits: Any,
) -> Any:
    """Try rows of one layer after another: return the least figure, its rows, and whether all were.

    ``weighed [row, price]``, ``both [row, (energy, latency)]``; ``after [layer, price]``: what that
    layer and all later ones spend at least.
    """
    below, share, first, most = limits
    last, width = len(starts) - 2, len(prices)
    sums, totals = np.zeros((last + 2, width)), np.zeros((last + 2, 2))
    at, picked = starts[:-1].copy(), np.full(last + 1, -1, np.int64)
    best, layer, steps = np.inf, 0, 0
    while layer >= 0 and steps < most and not (first and best < np.inf):
        if at[layer] == starts[layer + 1]:
            at[layer] = starts[layer]
            layer -= 1
            continue
        row = at[layer]
        at[layer] += 1
        steps += 1
        totals[layer + 1] = totals[layer] + both[row]
        if layer == last:
            figure = _figure(totals[last + 1], goal)
            if figure < below:
                best, below = figure, figure * (1 - share)
                picked[:] = at - 1
            continue
        sums[layer + 1] = sums[layer] + weighed[row]
        if _least(sums[layer + 1] + after[layer + 1], prices, goal, below) < below:
            layer += 1
    return best, picked, layer < 0


@compiled
def _figure(total: Array, goal: Array) -> float:
    """Return the figure of an energy and a latency; infinite where they exceed a cap."""
    energy, latency = total[0], total[1]
    if latency > goal[2] or energy > goal[3] * latency:
        return np.inf
    return energy ** goal[0] * latency ** goal[1]


@compiled
def _below(totals: Array, prices: Array, goal: Array, below: float) -> Any:
    """Return which rows a choice below a figure can have, by ``totals [row, price]``."""
    kept = np.empty(len(totals), np.bool_)
    for row in range(len(totals)):
        kept[row] = _least(totals[row], prices, goal, below) < below
    return kept


@compiled
def _least(total: Array, prices: Array, goal: Array, below: float) -> float:
    """Return a bound of the figure of choices that spend ``total [price]`` at least.

    Infinite where caps allow none, or none below a figure.
    """
    fast, least = _fastest(total, prices, goal), 0.0
    for place in range(len(prices)):
        if prices[place] <= 0:
            least = max(least, total[place] - prices[place] * fast)
    slow = goal[2]
    if goal[1] > 0 and below < np.inf and least > 0:
        slow = min(slow, (below / least ** goal[0]) ** (1 / goal[1]))
    if slow < np.inf:
        for place in range(len(prices)):
            if 0 < prices[place] < np.inf:
                least = max(least, total[place] - prices[place] * slow)
        if fast > slow * (1 + ROUNDING) or least > goal[3] * slow * (1 + ROUNDING):
            return np.inf
    return least ** goal[0] * fast ** goal[1]


@compiled
def _fastest(total: Array, prices: Array, goal: Array) -> float:
    """Return the cycles that choices take at least; infinite where none keeps to the rate."""
    fast = 0.0
    for place in range(len(prices)):
        price = prices[place]
        if price == np.inf:
            fast = max(fast, total[place])
        elif price > -goal[3]:
            fast = max(fast, total[place] / (price + goal[3]))
        elif total[place] > goal[4]:
            fast = np.inf
    return fast
