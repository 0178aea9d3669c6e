"""Expressions solved for one of their parameters, and whether they grow with it."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from tilegrad.accelerator.expression import Expression, Value

if TYPE_CHECKING:
    from torch import Tensor

DOUBLINGS = 24
"""Powers of two, from a parameter's least size on, at which its expressions are compared."""

PROBES = ((0, 0), (7, 3), (1000, 89))
"""Sizes of the other parameters meanwhile, above their least: the first one's, and how much more
the others have, one after another."""

FLAT = 1e-12
"""Relative difference up to which two values are taken as equal."""

_OF_LEFT: dict[type[ast.operator], Callable[[Tensor, Value], Tensor]] = {
    ast.Add: lambda value, right: value - right,
    ast.Sub: lambda value, right: value + right,
    ast.Mult: lambda value, right: value / right,
    ast.Div: lambda value, right: value * right,
    ast.Pow: lambda value, right: value ** (1 / right),
}
"""What the left operand is where the operation gives ``value``."""

_OF_RIGHT: dict[type[ast.operator], Callable[[Tensor, Value], Tensor]] = {
    ast.Add: lambda value, left: value - left,
    ast.Sub: lambda value, left: left - value,
    ast.Mult: lambda value, left: value / left,
    ast.Div: lambda value, left: left / value,
    ast.Pow: lambda value, left: value.log() / _log(left),
}
"""What the right operand is where the operation gives ``value``."""


def occurrences(expression: Expression, name: str) -> int:
    """Return how often a parameter stands in an expression."""
    return _count(expression.tree, name)


def inverted(
    expression: Expression, name: str, value: Tensor, known: Mapping[str, Value]
) -> Tensor:
    """Return the size of ``name``, which occurs once, that gives the expression ``value``.

    ``known`` holds the other parameters; tensors broadcast and keep their gradients.
    """
    node = expression.tree
    while isinstance(node, ast.BinOp):
        if _count(node.left, name):
            other = _part(node.right)(known)
            value, node = _OF_LEFT[type(node.op)](value, other), node.left
        else:
            other = _part(node.left)(known)
            value, node = _OF_RIGHT[type(node.op)](value, other), node.right
    return value


def direction(expression: Expression, name: str, least: Mapping[str, float]) -> int | None:
    """Return 1 where an expression grows with a parameter, -1 where it falls, 0 where it stays.

    None where it does both. Found by its values above 0 (others are no sizes), from the ``least``
    sizes on: what holds at all of them holds in between for sums, products and powers.
    """
    if name not in expression.names:
        return 0
    found = set()
    for first, step in PROBES:
        sizes = {n: max(1.0, m) + first + step * p for p, (n, m) in enumerate(least.items())}
        for before, after in pairwise(_values(expression, name, sizes, max(1.0, least[name]))):
            if abs(after - before) > FLAT * abs(before):
                found.add(1 if after > before else -1)
    return None if len(found) > 1 else next(iter(found), 0)


def _values(
    expression: Expression, name: str, sizes: Mapping[str, float], least: float
) -> Iterator[float]:
    """Yield an expression's values above 0, at larger and larger sizes of a parameter."""
    for doubling in range(DOUBLINGS):
        for between in (1.0, 1.5):
            try:
                value = expression({**sizes, name: least * between * 2.0**doubling})
            except ArithmeticError:
                continue
            if 0 < float(value) < math.inf:
                yield float(value)


def _part(node: ast.expr) -> Expression:
    return Expression("", frozenset(), node)


def _count(node: ast.expr, name: str) -> int:
    return sum(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))


def _log(value: Value) -> Value:
    return math.log(value) if isinstance(value, (int, float)) else value.log()
