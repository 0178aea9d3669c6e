"""What the tape's machine code does, written down a second time: all rows at once, with NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from tilegrad.tape import operations as kinds
from tilegrad.tape.code import Code

WORKED_OUT: dict[int, Any] = {
    kinds.ADD: np.add,
    kinds.SUBTRACT: np.subtract,
    kinds.MULTIPLY: np.multiply,
    kinds.DIVIDE: np.divide,
    kinds.MINIMUM: np.minimum,
    kinds.MAXIMUM: np.maximum,
    kinds.EQUAL: np.equal,
    kinds.UNEQUAL: np.not_equal,
    kinds.LESS: np.less,
    kinds.AT_MOST: np.less_equal,
    kinds.DIVISOR: lambda one, other: np.gcd(one.astype(np.int64), other.astype(np.int64)),
}
ALONE: dict[int, Any] = {
    kinds.ABSOLUTE: np.abs,
    kinds.SIGN: np.sign,
    kinds.ROUND: np.rint,
    kinds.FLOOR: np.floor,
}


def interpreted(code: Code, given: Any, written: Any) -> None:
    """Follow a code's instructions as ``tilegrad.tape.kernel.run`` does."""
    rows = len(given.rows)
    figures = np.full((code.registers, rows), np.nan)
    figures[: len(code.constants)] = code.constants[:, None]
    _follow(code.shared, 0, figures, given, written)
    for order in range(given.ordered.shape[1]):
        _follow(code.order, order, figures, given, written)
    _follow(code.after, 0, figures, given, written)


def _follow(instructions: Any, order: int, figures: Any, given: Any, written: Any) -> None:
    for kind, to, one, other, third in instructions.tolist():
        if kind <= kinds.COTANGENT:
            figures[to] = _given(given, order, kind, one, other)
        elif kind == kinds.KEEP:
            figures[to + order] = figures[one]
        elif kind == kinds.OUTPUT:
            part = written.parts[other]
            part[:, min(order, part.shape[1] - 1), third] = figures[one]
        elif kind == kinds.GRADIENT:
            written.gradient[:, other] = figures[one]
        elif kind == kinds.WHERE:
            figures[to] = np.where(figures[one] != 0, figures[other], figures[third])
        elif kind in ALONE:
            figures[to] = ALONE[kind](figures[one])
        else:
            figures[to] = WORKED_OUT[kind](figures[one], figures[other])


def _given(given: Any, order: int, kind: int, one: int, other: int) -> Any:
    layer = np.arange(len(given.rows)) % len(given.layers)
    if kind == kinds.ROW:
        return given.rows[:, one]
    if kind == kinds.LAYER:
        return given.layers[layer, one]
    if kind == kinds.ORDERED:
        return given.ordered[layer, order, one]
    cotangent = given.cotangents[one]
    return cotangent[:, min(order, cotangent.shape[1] - 1), other]
