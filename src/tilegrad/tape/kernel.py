"""Runs a ``Code`` in machine code, ``WIDTH`` rows at a time: their figures stay in the caches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tilegrad.machine_code import compiled_in
from tilegrad.tape.code import Code
from tilegrad.tape.operations import (
    COTANGENT,
    FLOOR,
    KEEP,
    LAYER,
    ORDERED,
    OUTPUT,
    ROUND,
    ROW,
    SIGN,
)
from tilegrad.tape.runner import kernel_directory
from tilegrad.tape.vectors import WIDTH, work


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is compiled when it is first called, and runs without the GIL."""
    return compiled_in(kernel_directory(), function, error_model="numpy")


class Given(NamedTuple):
    """What is given, rows of all layers again and again.

    ``rows [row, column]``, ``layers [layer, column]`` and ``ordered [layer, order, column]``;
    ``cotangents``: per part ``[row, order, column]``, of one order where all have the same.
    """

    rows: Any
    layers: Any
    ordered: Any
    cotangents: Any


class Written(NamedTuple):
    """What is written: ``parts``, each ``[row, order, column]``, and ``gradient [row, column]``."""

    parts: Any
    gradient: Any


@compiled
def run(code: Code, given: Given, written: Written) -> None:
    """Work out all rows."""
    figures = np.empty((code.registers, WIDTH))
    for number in range(len(code.constants)):
        figures[number, :] = code.constants[number]
    # Not the literal, for which numba would compile everything once more.
    first = np.int64(0)
    for begin in range(0, len(given.rows), WIDTH):
        _take(code.shared, first, begin, figures, given, written)
        for order in range(given.ordered.shape[1]):
            _take(code.order, order, begin, figures, given, written)
        _take(code.after, first, begin, figures, given, written)


@compiled
def _take(
    instructions: Any, order: Any, begin: int, figures: Any, given: Given, written: Written
) -> None:
    """Follow instructions for the rows from ``begin`` on."""
    for number in range(len(instructions)):
        kind, to, one = instructions[number, 0], instructions[number, 1], instructions[number, 2]
        other, third = instructions[number, 3], instructions[number, 4]
        if kind <= COTANGENT:
            _load(kind, figures, to, one, other, order, begin, given)
        elif kind <= SIGN:
            work(kind, figures, to, one, other, third)
        elif kind < OUTPUT:
            _seldom(kind, figures, to, one, other)
        elif kind == KEEP:
            to += order
            for row in range(WIDTH):
                figures[to, row] = figures[one, row]
        else:
            _store(kind, figures, one, other, third, order, begin, written)


@compiled
def _load(
    kind: int, figures: Any, to: int, one: int, other: int, order: int, begin: int, given: Given
) -> None:
    """Take in a column, behind the last row that of the last."""
    last, layers = len(given.rows) - 1, len(given.layers)
    for place in range(WIDTH):
        row = min(begin + place, last)
        if kind == ROW:
            figures[to, place] = given.rows[row, one]
        elif kind == LAYER:
            figures[to, place] = given.layers[row % layers, one]
        elif kind == ORDERED:
            figures[to, place] = given.ordered[row % layers, order, one]
        else:
            cotangent = given.cotangents[one]
            figures[to, place] = cotangent[row, min(order, cotangent.shape[1] - 1), other]


@compiled
def _store(
    kind: int,
    figures: Any,
    figure: int,
    one: int,
    other: int,
    order: int,
    begin: int,
    written: Written,
) -> None:
    """Write a column."""
    for place in range(min(WIDTH, len(written.gradient) - begin)):
        if kind == OUTPUT:
            part = written.parts[one]
            part[begin + place, min(order, part.shape[1] - 1), other] = figures[figure, place]
        else:
            written.gradient[begin + place, one] = figures[figure, place]


@compiled
def _seldom(kind: int, figures: Any, to: int, one: int, other: int) -> None:
    """Do one of the rarer operations."""
    for row in range(WIDTH):
        if kind == ROUND:
            figures[to, row] = np.rint(figures[one, row])
        elif kind == FLOOR:
            figures[to, row] = np.floor(figures[one, row])
        else:
            divisor, rest = abs(int(figures[one, row])), abs(int(figures[other, row]))
            while rest:
                divisor, rest = rest, divisor % rest
            figures[to, row] = divisor
