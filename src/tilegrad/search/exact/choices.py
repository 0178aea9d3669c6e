"""Choices of a row of each layer that keep to caps: those of lines, and what lies between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf

import numpy as np

from tilegrad.search.caps import ROUNDED, Caps
from tilegrad.search.exact.hull import Costs, Line, Places

Powers = tuple[float, float]

POWER_STEPS = 5
PASSES = 3


def figure(energy: float, latency: float, powers: Powers) -> float:
    """Return ``E**a * L**b``."""
    return float(max(energy, 0.0) ** powers[0] * max(latency, 0.0) ** powers[1])


def is_met(line: Line, caps: Caps) -> bool:
    """Return whether a line's choice keeps to caps."""
    return _holds(line.energy, line.latency, caps)


def coolest(costs: Costs) -> Line:
    """Return the line of about the least power: where E / L is least, so is E - (E / L) L."""
    line = costs.line(0.0)
    for _ in range(POWER_STEPS):
        line = costs.line(-line.energy / line.latency)
    return line


def best_choice(
    costs: Costs, lines: Sequence[Line], caps: Caps, powers: Powers
) -> tuple[float, Places]:
    """Return the least figure found and its rows; infinite where none found keeps to the caps."""
    value, rows = min(_choices(costs, lines, caps, powers), key=lambda each: each[0])
    rows = coolest(costs).rows if value == inf else rows
    polished = _polished(costs, rows, caps, powers)
    return min((value, rows), polished, key=lambda each: each[0])


def _holds(energy: float, latency: float, caps: Caps) -> bool:
    slow = latency > caps.cycles * ROUNDED
    return not slow and energy <= caps.pj_per_cycle * latency * ROUNDED


def _choices(
    costs: Costs, lines: Sequence[Line], caps: Caps, powers: Powers
) -> Iterator[tuple[float, Places]]:
    """Yield figures of choices, infinite where they exceed a cap: the lines', and between them."""
    for line in lines:
        held = is_met(line, caps)
        yield figure(line.energy, line.latency, powers) if held else inf, line.rows
    for pair in pairwise(lines):
        for one, other in (pair, pair[::-1]):
            if is_met(one, caps) and not is_met(other, caps):
                yield _between(costs, one, other, caps, powers)


def _between(
    costs: Costs, one: Line, other: Line, caps: Caps, powers: Powers
) -> tuple[float, Places]:
    """Return a choice that keeps to the caps, layers as in another one where better."""
    rows = one.rows.copy()
    energy, latency = one.energy, one.latency
    best = figure(energy, latency, powers)
    for layer, (here, there) in enumerate(zip(one.rows, other.rows, strict=True)):
        e = energy + float(costs.energy[there] - costs.energy[here])
        t = latency + float(costs.latency[there] - costs.latency[here])
        found = figure(e, t, powers)
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
