"""In which order tensor operations add up a row of figures, found by trying.

It depends on how many there are, how they lie in memory and what the processor can do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

import torch
from torch import Tensor

from tilegrad.tape.errors import NotRecordableError
from tilegrad.tape.graph import Graph
from tilegrad.tape.operations import ADD

Tree = Any
"""A figure's place, or a pair of trees whose sums are added."""

LANES = 4
"""Sums that are kept apart, as many as a processor adds at once."""

WIDTHS = (4, 8, 2)
"""Figures in a vector of a processor."""


@dataclass(frozen=True)
class Order:
    """How figures are added: a tree of their places."""

    tree: Tree

    @classmethod
    def of(cls, count: int, contiguous: bool | None) -> Order:
        """Return how ``sum`` adds ``count`` figures that lie side by side, or apart.

        None: sums over a dimension that lies closer in memory, one after another.

        Raises ``NotRecordableError`` where it is none of the known ways.
        """
        if contiguous is None:
            return cls(reduce(_pair, range(count)))
        return cls(_found(count, contiguous))

    def added(self, graph: Graph, figure: int) -> int:
        """Return the sum of what a figure is for each order."""

        def add(tree: Tree) -> int:
            if isinstance(tree, int):
                return graph.of_order(figure, tree)
            return graph.emit(ADD, add(tree[0]), add(tree[1]))

        return add(self.tree)


@cache
def _found(count: int, contiguous: bool) -> Tree:
    generator = torch.Generator().manual_seed(0)
    rows = torch.rand(17, 5, count, 1 if contiguous else 3, generator=generator).double().exp()
    values = rows.log2()[..., 0]
    for tree in _ways(range(count)):
        if torch.equal(values.sum(-1), _sum(tree, values)):
            return tree
    raise NotRecordableError(f"sums of {count} figures in an unknown order")


def _ways(places: Sequence[Tree]) -> list[Tree]:
    """Return known ways: one after another, in lanes, in vectors of lanes."""
    ways = [reduce(_pair, places), _in_lanes(places)]
    for width in WIDTHS:
        whole = len(places) // width * width
        if whole:
            columns = [_in_lanes(places[lane:whole:width]) for lane in range(width)]
            ways.append(reduce(_pair, [*places[whole:], *columns]))
    return ways


def _in_lanes(places: Sequence[Tree]) -> Tree:
    whole = len(places) // LANES * LANES
    lanes = [list(places[lane:whole:LANES]) for lane in range(LANES)]
    lanes[0] += places[whole:]
    return reduce(_pair, [reduce(_pair, lane) for lane in lanes if lane])


def _pair(one: Tree, other: Tree) -> Tree:
    return (one, other)


def _sum(tree: Tree, values: Tensor) -> Tensor:
    if isinstance(tree, int):
        return values[..., tree]
    return _sum(tree[0], values) + _sum(tree[1], values)
