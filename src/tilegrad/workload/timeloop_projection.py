"""Timeloop projections as index expressions, and which data space is which tensor."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping

from tilegrad.errors import WorkloadError
from tilegrad.shape import INPUTS, OUTPUTS, ROLES, WEIGHTS
from tilegrad.workload.files import expect_list

Term = tuple[str, str | None]
"""A dimension and its coefficient."""

Projection = list[list[Term]]
"""The axes of a data space, each a sum of terms."""


def read_projection(value: object, place: str) -> Projection:
    """Read ``[[[N]], [[R, Wdilation], [P, Wstride]]]``, or ``[N, C]`` where no axis is a sum."""
    axes = expect_list(value, f"{place}, field projection")
    return [
        [(axis, None)]
        if isinstance(axis, str)
        else [_term(term, place) for term in expect_list(axis, place)]
        for axis in axes
    ]


def _term(value: object, place: str) -> Term:
    match value:
        case [str(dim)]:
            return dim, None
        case [str(dim), str(coefficient)]:
            return dim, coefficient
    raise WorkloadError(
        f"{place}: projection term {reprlib.repr(value)} is not legal (legal: [dimension] or "
        "[dimension, coefficient])"
    )


def expressions(axes: Projection) -> list[str]:
    """Return the axes as a shape's description writes them."""
    return [
        " + ".join(f"{dim} * {constant}" if constant else dim for dim, constant in axis)
        for axis in axes
    ]


def roles(spaces: Mapping[str, Projection], written: list[str], place: str) -> dict[str, str]:
    """Return the role of each data space, given those that are ``written``.

    Outputs is the one that is written, or else called so; the other two are Weights and Inputs by
    name, or else Inputs is the one with sums among its axes, or the first.
    """
    if len(spaces) != len(ROLES):
        raise WorkloadError(
            f"{place}: {len(spaces)} data spaces ({', '.join(spaces)}); legal: {len(ROLES)}, two "
            "that are read and one that is written"
        )
    written = written or [name for name in spaces if name == OUTPUTS]
    if len(written) != 1:
        told = ", ".join(written) or "none"
        raise WorkloadError(f"{place}: read_write is true of {told}; legal: of one data space")
    read = [name for name in spaces if name not in written]
    return {written[0]: OUTPUTS, **dict(zip(_inputs_first(read, spaces), OPERANDS, strict=True))}


OPERANDS = (INPUTS, WEIGHTS)


def _inputs_first(read: list[str], spaces: Mapping[str, Projection]) -> list[str]:
    first, second = read
    if INPUTS in read or WEIGHTS in read:
        swapped = second == INPUTS or first == WEIGHTS
    else:
        slides = [any(len(axis) > 1 or axis[0][1] for axis in spaces[name]) for name in read]
        swapped = slides == [False, True]
    return [second, first] if swapped else [first, second]
