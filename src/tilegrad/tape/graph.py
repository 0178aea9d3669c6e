"""Figures of one row, and how they follow from each other; equal ones are kept once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tilegrad.tape.errors import NotRecordableError
from tilegrad.tape.operations import (
    ABSOLUTE,
    ADD,
    AT_MOST,
    CONSTANT,
    DIVIDE,
    DIVISOR,
    EQUAL,
    FLOOR,
    KEPT,
    LESS,
    MAXIMUM,
    MINIMUM,
    MULTIPLY,
    ROUND,
    SIGN,
    SUBTRACT,
    UNEQUAL,
    WHERE,
)

ZERO, OTHER, ONE = 0, 1, 2
"""Figures: 0.0; any of an order but the first, which is worked out as the first's is; 1.0."""

SHARED, PER_ORDER, AFTER = range(3)
"""When a figure is worked out: once for all orders, for each, or once from those of all orders."""

COMMUTATIVE = {ADD, MULTIPLY, MINIMUM, MAXIMUM, EQUAL, UNEQUAL, DIVISOR}

_WORKED_OUT: dict[int, Callable[..., float]] = {
    ADD: lambda a, b: a + b,
    SUBTRACT: lambda a, b: a - b,
    MULTIPLY: lambda a, b: a * b,
    DIVIDE: lambda a, b: a / b,
    MINIMUM: min,
    MAXIMUM: max,
    EQUAL: lambda a, b: float(a == b),
    UNEQUAL: lambda a, b: float(a != b),
    LESS: lambda a, b: float(a < b),
    AT_MOST: lambda a, b: float(a <= b),
    WHERE: lambda c, a, b: a if c else b,
    ABSOLUTE: abs,
    SIGN: lambda a: float((a > 0) - (a < 0)),
    ROUND: lambda a: float(round(a)),
    FLOOR: math.floor,
    DIVISOR: lambda a, b: float(math.gcd(int(a), int(b))),
}


class Node(NamedTuple):
    """A figure: its kind, the figures it follows from, and for given ones which it is."""

    kind: int
    operands: tuple[int, ...]
    place: tuple[float, ...] = ()


class Graph:
    """Figures by number, each after those it follows from; ``stages`` says when each is known.

    ``domains``: the values that a figure of the layers and orders takes.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.stages: list[int] = []
        self.domains: dict[int, frozenset[float]] = {}
        self._known: dict[Node, int] = {}
        self.constant(0.0)
        self._append(Node(CONSTANT, (), (math.nan,)), PER_ORDER)
        self.constant(1.0)

    def _append(self, node: Node, stage: int) -> int:
        self.nodes.append(node)
        self.stages.append(stage)
        self._known[node] = len(self.nodes) - 1
        return len(self.nodes) - 1

    def given(self, kind: int, *place: float, stage: int = SHARED) -> int:
        """Return a figure that is given, at a ``stage`` where it is first asked for."""
        node = Node(kind, (), place)
        return self._known[node] if node in self._known else self._append(node, stage)

    def constant(self, value: float) -> int:
        """Return a number; zeros of both signs are one."""
        return self.given(CONSTANT, float(value) + 0.0)

    def of_order(self, figure: int, order: int) -> int:
        """Return what a figure is for a certain order."""
        if self.stages[figure] != PER_ORDER:
            return figure
        node = Node(KEPT, (figure,), (order,))
        return self._known[node] if node in self._known else self._append(node, AFTER)

    def emit(self, kind: int, *operands: int) -> int:
        """Return the figure that an operation makes of others."""
        stages = {self.stages[each] for each in operands}
        if {PER_ORDER, AFTER} <= stages:
            raise NotRecordableError("sums over orders flow back into figures of one")
        if OTHER in operands:
            return OTHER
        if kind in COMMUTATIVE:
            operands = tuple(sorted(operands))
        found = self._folded(kind, operands)
        if found is not None:
            return found
        node = Node(kind, operands)
        return self._known[node] if node in self._known else self._append(node, max(stages))

    def _folded(self, kind: int, operands: Sequence[int]) -> int | None:
        """Return a figure that is there already, where the operation changes nothing."""
        values = [self._value(each) for each in operands]
        if all(value is not None for value in values):
            return self.constant(_WORKED_OUT[kind](*values))
        if kind == EQUAL:
            return self._equal(*operands)
        if kind == WHERE:
            return self._chosen(values[0], *operands[1:])
        return _unchanged(kind, operands[0], operands[-1])

    def _equal(self, one: int, other: int) -> int | None:
        """Return whether two figures are equal, where that is known beforehand."""
        if one == other:
            return ONE
        for figure, number in ((one, other), (other, one)):
            value = self._value(number)
            if value is not None and figure in self.domains:
                if value not in self.domains[figure]:
                    return ZERO
                if len(self.domains[figure]) == 1:
                    return ONE
        return None

    def _chosen(self, condition: float | None, yes: int, no: int) -> int | None:
        if condition is not None:
            return yes if condition else no
        return yes if yes == no else None

    def _value(self, figure: int) -> float | None:
        node = self.nodes[figure]
        return node.place[0] if node.kind == CONSTANT and figure != OTHER else None

    def picked(self, index: int, candidates: Sequence[int]) -> int:
        """Return the candidate that an index says."""
        if index == OTHER:
            return OTHER
        value = self._value(index)
        if value is not None:
            return candidates[int(value)]
        first, *others = sorted(self.domains.get(index, range(len(candidates))))
        found = candidates[int(first)]
        for each in others:
            there = self.emit(EQUAL, index, self.constant(each))
            found = self.emit(WHERE, there, candidates[int(each)], found)
        return found


def _unchanged(kind: int, one: int, other: int) -> int | None:
    """Return the operand, or zero, that comes of two whatever their values."""
    if kind == MULTIPLY and ZERO in (one, other):
        return ZERO
    if (kind, one) in {(ADD, ZERO), (MULTIPLY, ONE)}:
        return other
    if (kind, other) in {(SUBTRACT, ZERO), (MULTIPLY, ONE), (DIVIDE, ONE)}:
        return one
    if (kind, one) == (DIVIDE, ZERO):
        return ZERO
    return one if kind in (MINIMUM, MAXIMUM) and one == other else None
