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
from typing import TYPE_CHECKING, TypeAlias

from tilegrad.errors import AcceleratorError, unknown

if TYPE_CHECKING:
    import torch
    from torch import Tensor

# Not imported: descriptions are read before tensors, which take seconds to import, are needed.
Value: TypeAlias = "Tensor | float"


def _power(base: Value, exponent: Value) -> Value:
    power: Value | complex = base**exponent
    if isinstance(power, complex):
        raise ArithmeticError("a root of a negative number")
    return power


_BINARY: dict[type[ast.operator], Callable[[Value, Value], Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: _power,
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
    if names:
        _check_constants_within(expression, where)
    else:
        _check_constant(expression, where)
    return expression


def values(expression: Expression, parameters: Mapping[str, Value]) -> Tensor:
    """Return an expression's values in float64; where it has none (``1 / 0``) they are no numbers.

    Calling an expression with plain numbers raises ``ArithmeticError`` there.
    """
    sizes = {n: tensor_of(v) for n, v in parameters.items()}
    return tensor_of(expression(sizes))


def tensor_of(value: Value, device: torch.device | None = None) -> Tensor:
    """Return a value in float64, on a device (None: where it is).

    A number goes to the CPU then, from where it mixes with tensors of any device.
    """
    import torch

    if isinstance(value, torch.Tensor):
        return value.to(device=device, dtype=torch.float64)
    return torch.full((), value, dtype=torch.float64, device=device or "cpu")


def constant(value: float) -> Expression:
    """Return the expression of a number."""
    return Expression(f"{value:g}", frozenset(), ast.Constant(value))


def _check_constants_within(expression: Expression, where: str) -> None:
    """Refuse numbers among the parameters that make no number, whatever the parameters."""
    try:
        values(expression, dict.fromkeys(expression.names, 1.0))
    except ArithmeticError:
        raise AcceleratorError(
            f"{where}: {expression.text!r} holds numbers that cannot be computed; "
            "legal: finite numbers"
        ) from None


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
