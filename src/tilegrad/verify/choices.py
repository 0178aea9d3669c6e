"""Whether caps leave a choice of a mapping of each layer with a figure below a given one.

Lines bound what is left of a choice, layer by layer; mappings that no such choice can have are left
out, lines are drawn anew, and what remains is tried one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np

from tilegrad.errors import DataError
from tilegrad.verify.goal import POWERS, Goal, Line
from tilegrad.verify.walk import Numbers

MOST = 50_000_000
"""Choices of some layers' mappings that are looked at."""

ROUNDS = 8


def is_any_below(costs: Sequence[Numbers], known: Sequence[Line], goal: Goal, below: float) -> bool:
    """Return whether a choice of rows keeps to the caps and has a figure below ``below``.

    ``costs``: energies [pJ] and cycles of each layer's mappings, ``[row, 2]``; ``known``: lines
    whose prices are of use.
    """
    prices = np.array([price for price, _ in known])
    parts = list(costs)
    for _ in range(ROUNDS):
        weighed = [_weighed(part, prices) for part in parts]
        least = np.array([each.min(0) for each in weighed])
        total = least.sum(0)
        kept = [
            _possible(w - low + total, prices, goal, below)
            for w, low in zip(weighed, least, strict=True)
        ]
        if not all(each.any() for each in kept):
            return False
        before = sum(map(len, parts))
        parts = [_thinned(part[k]) for part, k in zip(parts, kept, strict=True)]
        prices = _prices(parts, prices)
        if sum(map(len, parts)) == before:
            break
    return _tried(sorted(parts, key=len), prices, goal, below)


def _thinned(costs: Numbers) -> Numbers:
    """Return of rows of the same cycles the one of the least energy."""
    ordered = costs[np.lexsort((costs[:, 0], costs[:, 1]))]
    return ordered[np.unique(ordered[:, 1], return_index=True)[1]]


def _weighed(costs: Numbers, prices: Numbers) -> Numbers:
    """Return ``E + p L`` (``L`` where p is infinite), ``[row, price]``."""
    found = np.empty((len(costs), len(prices)))
    for place, price in enumerate(prices):
        found[:, place] = costs[:, 1] if price == inf else costs[:, 0] + price * costs[:, 1]
    return found


def _possible(totals: Numbers, prices: Numbers, goal: Goal, below: float) -> np.ndarray:
    """Return which ``totals [row, price]`` a choice below a figure and within caps can have."""
    a, b, _ = POWERS[goal.objective]
    rate, finite = goal.pj_per_cycle, prices < inf
    scale = 1e-9 * np.abs(totals[:, prices == 0.0]).max()
    held = prices[finite] > -rate
    with np.errstate(invalid="ignore"):
        limits = totals[:, finite][:, held] / (prices[finite][held] + rate)
    fast = np.maximum(totals[:, prices == inf].max(1), limits.max(1))
    possible = (totals[:, finite][:, ~held] <= scale).all(1)
    falling, rising = finite & (prices <= 0), finite & (prices > 0)
    energy = (totals[:, falling] - prices[falling] * fast[:, None]).max(1)
    slow = np.full(len(totals), goal.cycles)
    if b:
        slow = np.minimum(slow, (below / np.maximum(energy, 1e-300) ** a) ** (1 / b))
    possible &= fast <= slow * (1 + 1e-9)
    if rising.any() and np.isfinite(slow).all():
        energy = np.maximum(energy, (totals[:, rising] - prices[rising] * slow[:, None]).max(1))
    possible &= energy <= rate * slow * (1 + 1e-9)
    return possible & (energy**a * fast**b < below)


def _prices(parts: Sequence[Numbers], prices: Numbers) -> Numbers:
    """Return prices with those at which the choices of neighbouring lines cost the same."""
    found = set(prices.tolist())
    while len(found) < 3 * len(prices) + 8:
        ordered = sorted(found)
        ends = []
        for price in ordered:
            rows = [p[_weighed(p, np.array([price]))[:, 0].argmin()] for p in parts]
            ends.append(np.sum(rows, 0))
        between = set()
        for low, high, one, other in zip(ordered, ordered[1:], ends, ends[1:], strict=False):
            if (
                one[1] > other[1]
                and low < (price := (other[0] - one[0]) / (one[1] - other[1])) < high
            ):
                between.add(float(price))
        if not between - found:
            break
        found |= between
    return np.array(sorted(found))


def _tried(parts: Sequence[Numbers], prices: Numbers, goal: Goal, below: float) -> bool:
    """Try all choices, a layer more at a time, without those that no longer can be below."""
    least = np.array([_weighed(part, prices).min(0) for part in parts])
    return _deeper(parts, np.zeros((1, 2)), least, prices, goal, below, [MOST])


def _deeper(
    parts: Sequence[Numbers],
    begun: Numbers,
    least: Numbers,
    prices: Numbers,
    goal: Goal,
    below: float,
    room: list[int],
) -> bool:
    if not parts:
        held = (begun[:, 1] <= goal.cycles) & (begun[:, 0] <= goal.pj_per_cycle * begun[:, 1])
        a, b, _ = POWERS[goal.objective]
        return bool((held & (begun[:, 0] ** a * begun[:, 1] ** b < below)).any())
    step = max(1, 200_000 // len(parts[0]))
    for first in range(0, len(begun), step):
        more = (begun[first : first + step, None] + parts[0][None]).reshape(-1, 2)
        room[0] -= len(more)
        if room[0] < 0:
            raise DataError(f"more than {MOST:,} choices of mappings are left by a cell's lines")
        more = more[_possible(_weighed(more, prices) + least[1:].sum(0), prices, goal, below)]
        if len(more) and _deeper(parts[1:], more, least[1:], prices, goal, below, room):
            return True
    return False
