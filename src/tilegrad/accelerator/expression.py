"""Arithmetic over hardware parameters, as written in an accelerator description.

``"2 * pe_dim"`` or ``"0.487 + 0.0251 * scratchpad_kb"``: numbers, parameter names, ``+ - * / **``
and parentheses. Evaluates on tensors, so inferred (relaxed) hardware keeps its gradient.
"""

from __future__ import annotations

import ast
import math
import operator
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from tilegrad.errors import AcceleratorError, unknown

Value = Tensor | float

_BINARY: dict[type[ast.operator], Callable[[Value, Value], Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


@dataclass(frozen=True)
class Expression:
    """A parsed expression; call it with the hardware parameters."""

    text: str
    names: frozenset[str] = field(repr=False)
    tree: ast.expr = field(repr=False)

    def __call__(self, parameters: Mapping[str, Value]) -> Value:
        """Return the value; tensors broadcast."""
        return _evaluate(self.tree, parameters)

    @property
    def parameter(self) -> str | None:
        """The parameter's name when the expression is nothing but one name."""
        return self.tree.id if isinstance(self.tree, ast.Name) else None


def parse_expression(value: object, legal: Iterable[str], where: str) -> Expression:
    """Parse a number or text; ``AcceleratorError`` names ``where``, the text and what is legal."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise AcceleratorError(f"{where}: expected a number or an expression, got {value!r}")
    text = str(value)
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        raise AcceleratorError(f"{where}: {text!r} is not an arithmetic expression") from None
    names = frozenset(_names(tree, text, where))
    legal = tuple(legal)
    for name in sorted(names - set(legal)):
        raise AcceleratorError(unknown("hardware parameter", name, legal, where))
    expression = Expression(text, names, tree)
    if not names:
        _check_constant(expression, where)
    return expression


def _check_constant(expression: Expression, where: str) -> None:
    try:
        value = expression({})
    except ArithmeticError:
        value = math.nan
    if not isinstance(value, float) or not 0 <= value < math.inf:
        raise AcceleratorError(
            f"{where}: {expression.text!r} is {value}; legal: a finite number >= 0"
        )


def _names(node: ast.expr, text: str, where: str) -> Iterable[str]:
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        yield from _names(node.left, text, where)
        yield from _names(node.right, text, where)
    elif isinstance(node, ast.Name):
        yield node.id
    elif not (isinstance(node, ast.Constant) and _is_finite_number(node.value)):
        raise AcceleratorError(
            f"{where}: {text!r} uses {ast.unparse(node)!r}; "
            "legal: finite numbers, hardware parameters, + - * / ** and parentheses"
        )


def _is_finite_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return value <= sys.float_info.max


def _evaluate(node: ast.expr, parameters: Mapping[str, Value]) -> Value:
    if isinstance(node, ast.BinOp):
        combine = _BINARY[type(node.op)]
        return combine(_evaluate(node.left, parameters), _evaluate(node.right, parameters))
    if isinstance(node, ast.Name):
        return parameters[node.id]
    assert isinstance(node, ast.Constant)
    return float(ast.literal_eval(node))
