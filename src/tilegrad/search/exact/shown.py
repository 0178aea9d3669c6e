"""What shows a bound, as plain data: lines of each network's layers."""

from __future__ import annotations

from math import inf
from typing import Any

from tilegrad.search.exact.hull import Least

EVERY = -1
"""In place of a layer: no layer has to fill the mesh."""

Shown = dict[str, Any]


def shown_by(least: Least, filled: int) -> Shown:
    """Return the lines of a bound, of each network: prices, and each layer's least ``E + p L``.

    Energies in pJ, cycles, all executions of a layer together; a price of None is infinite, its
    values are cycles. ``searched``: the figure below which caps leave no choice, where these were
    searched.
    """
    return {"filled": filled, "networks": [_lines(part) for part in least.parts or (least,)]}


def _lines(least: Least) -> Shown:
    return {
        "prices": [None if line.price == inf else line.price for line in least.lines],
        "values": [line.least.tolist() for line in least.lines],
        "searched": least.searched,
    }
