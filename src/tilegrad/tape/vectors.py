"""Operations on registers as vector instructions: none of a compiler's guesses about loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.extending import intrinsic

from tilegrad.tape.operations import (
    ABSOLUTE,
    ADD,
    AT_MOST,
    DIVIDE,
    EQUAL,
    LESS,
    MAXIMUM,
    MINIMUM,
    MULTIPLY,
    SIGN,
    SUBTRACT,
    UNEQUAL,
    WHERE,
)

WIDTH = 64
"""Rows that a register holds."""

_LANES = 8
_VECTOR = ir.VectorType(ir.DoubleType(), _LANES)
_ONE, _ZERO = (ir.Constant(_VECTOR, [ir.Constant(ir.DoubleType(), v)] * _LANES) for v in (1.0, 0.0))


def _compared(comparison: str) -> Callable[..., Any]:
    """Return what makes 1 where a comparison holds; of what is no number only ``!=`` does."""

    def make(builder: Any, one: Any, other: Any, _: Any) -> Any:
        compare = builder.fcmp_unordered if comparison == "!=" else builder.fcmp_ordered
        return builder.select(compare(comparison, one, other), _ONE, _ZERO)

    return make


def _extreme(comparison: str) -> Callable[..., Any]:
    """Return what makes the smaller or larger figure, or none where either is no number."""

    def make(builder: Any, one: Any, other: Any, _: Any) -> Any:
        first = builder.fcmp_ordered(comparison, one, other)
        return builder.select(
            builder.or_(first, builder.fcmp_unordered("uno", one, one)), one, other
        )

    return make


def _absolute(builder: Any, one: Any, *_: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", one, _ZERO), builder.fneg(one), one)


def _sign(builder: Any, one: Any, *_: Any) -> Any:
    """Return what makes 1 of positive figures, -1 of negative ones and 0 of others."""
    positive, negative = (builder.fcmp_ordered(each, one, _ZERO) for each in (">", "<"))
    return builder.select(positive, _ONE, builder.select(negative, builder.fneg(_ONE), _ZERO))


MADE: dict[int, Callable[..., Any]] = {
    ADD: lambda builder, one, other, _: builder.fadd(one, other),
    SUBTRACT: lambda builder, one, other, _: builder.fsub(one, other),
    MULTIPLY: lambda builder, one, other, _: builder.fmul(one, other),
    DIVIDE: lambda builder, one, other, _: builder.fdiv(one, other),
    MINIMUM: _extreme("<"),
    MAXIMUM: _extreme(">"),
    EQUAL: _compared("=="),
    UNEQUAL: _compared("!="),
    LESS: _compared("<"),
    AT_MOST: _compared("<="),
    WHERE: lambda builder, one, other, third: builder.select(
        builder.fcmp_unordered("!=", one, _ZERO), other, third
    ),
    ABSOLUTE: _absolute,
    SIGN: _sign,
}
"""What each kind of instruction makes of vectors of the first, second and third operand."""


def _work(
    context: Any, kind: Any, figures: Any, to: Any, one: Any, other: Any, third: Any
) -> tuple[Any, Callable[..., Any]]:
    """Do an instruction of a kind in ``MADE`` on registers of ``figures [register, row]``."""
    del context, kind, to, one, other, third
    return types.void(types.intp, figures, *[types.intp] * 4), _generate


work: Any = intrinsic(_work)


def _generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Write the instructions of ``work``: of other kinds nothing."""
    figures = context.make_array(signature.args[1])(context, builder, values[1]).data
    to, *takes = [
        builder.bitcast(
            builder.gep(figures, [builder.mul(value, ir.Constant(value.type, WIDTH))]),
            _VECTOR.as_pointer(),
        )
        for value in values[2:]
    ]
    after = builder.append_basic_block("after")
    switch = builder.switch(values[0], after)
    for kind, make in MADE.items():
        block = builder.append_basic_block(f"kind{kind}")
        switch.add_case(ir.Constant(values[0].type, kind), block)
        builder.position_at_end(block)
        for part in range(WIDTH // _LANES):
            at = [ir.Constant(ir.IntType(32), part)]
            taken = [builder.load(builder.gep(each, at), align=8) for each in takes]
            builder.store(make(builder, *taken), builder.gep(to, at), align=8)
        builder.branch(after)
    builder.position_at_end(after)
    return context.get_dummy_value()
