"""Energies and areas at other technology nodes, by published factors (``figures/nodes.csv``)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import exp, log

from tilegrad.accelerator.figures import read_figures
from tilegrad.errors import AcceleratorError

BETWEEN = (40, 28, 22, 12)
"""Nodes in nm that the publication lacks: straight lines between its own, in logarithms."""


@dataclass(frozen=True)
class Node:
    """How much an operation's energy and a circuit's area are worth at a node, one to another."""

    energy: float
    area: float


@cache
def nodes() -> dict[int, Node]:
    """Return the nodes by their nm, from the largest."""
    known = {int(row["nm"]): _published(row) for row in read_figures("nodes")}
    known |= {nm: _between(nm, known) for nm in BETWEEN}
    return dict(sorted(known.items(), reverse=True))


def read_node(name: str) -> Node:
    """Return the node of ``7nm``; ``AcceleratorError`` names the legal ones and the nearest."""
    known = {f"{nm}nm": node for nm, node in nodes().items()}
    if name in known:
        return known[name]
    message = f"node is {name!r}; legal: {', '.join(known)}"
    digits = str(name).removesuffix("nm").strip()
    if digits.isdecimal() and int(digits):
        nearest = min(nodes(), key=lambda nm: abs(log(nm / int(digits))))
        message += f"; nearest: {nearest}nm"
    raise AcceleratorError(message)


def _published(row: dict[str, str]) -> Node:
    volts, a, b, c = (float(row[name]) for name in ("volts", "a", "b", "c"))
    return Node(a * volts**2 + b * volts + c, float(row["area"]))


def _between(nm: int, known: dict[int, Node]) -> Node:
    larger = min(other for other in known if other > nm)
    smaller = max(other for other in known if other < nm)
    part = log(nm / smaller) / log(larger / smaller)
    low, high = known[smaller], known[larger]
    return Node(_blend(low.energy, high.energy, part), _blend(low.area, high.area, part))


def _blend(low: float, high: float, part: float) -> float:
    return exp((1 - part) * log(low) + part * log(high))
