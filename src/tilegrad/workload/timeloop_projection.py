"""Timeloop projections: which dimensions, with which coefficients, index each data space.

A layer of this project reads the input at row ``P*Wstride + R*Wdilation`` and column
``Q*Hstride + S*Hdilation``. A shape that pairs the dimensions otherwise has the same bounds and
different traffic, so it is refused rather than read as if it were this one.
"""

from __future__ import annotations

import reprlib

from tilegrad.errors import WorkloadError
from tilegrad.workload.files import expect_list

COEFFICIENT = {"P": "Wstride", "Q": "Hstride", "R": "Wdilation", "S": "Hdilation"}

AXES = {
    "Weights": ["C", "K", "R", "S"],
    "Inputs": ["C", "N", "P+R", "Q+S"],
    "Outputs": ["K", "N", "P", "Q"],
}
"""The axes of each data space, sorted; ``+`` joins the dimensions that slide together."""

Term = tuple[str, str | None]
"""A dimension and its coefficient."""

Projection = list[list[Term]]
"""The axes of a data space, each a sum of terms."""


def read_projection(value: object, place: str) -> Projection:
    """Read ``[[[N]], [[R, Wdilation], [P, Wstride]]]``, or ``[N, C]`` where no axis is a sum."""
    axes = expect_list(value, f"{place}, field projection")
    return [
        [(canonical(axis), None)]
        if isinstance(axis, str)
        else [_term(term, place) for term in expect_list(axis, place)]
        for axis in axes
    ]


def _term(value: object, place: str) -> Term:
    match value:
        case [str(dim)]:
            return canonical(dim), None
        case [str(dim), str(coefficient)]:
            return canonical(dim), coefficient
    raise WorkloadError(
        f"{place}: projection term {reprlib.repr(value)} is not legal (legal: [dimension] or "
        "[dimension, coefficient])"
    )


def check_axes(axes: Projection, name: str, place: str) -> set[str]:
    """Return the coefficients used, refusing an axis or a coefficient that is not the layer's."""
    found = sorted("+".join(sorted(dim for dim, _ in axis)) for axis in axes)
    if found != AXES[name]:
        raise WorkloadError(
            f"{place}: the projection has the axes {', '.join(found)}; a CNN layer has "
            f"{', '.join(AXES[name])} (R goes with P, and S with Q)"
        )
    terms = {dim: coefficient for axis in axes for dim, coefficient in axis if coefficient}
    for dim, coefficient in terms.items():
        legal = COEFFICIENT.get(dim) if name == "Inputs" else None
        if coefficient != legal:
            raise WorkloadError(
                f"{place}: coefficient {coefficient} of {dim} is not the CNN layer's "
                f"(legal: {legal or 'none'})"
            )
    return set(terms.values())


def canonical(dim: object) -> str:
    """Return this project's name of a dimension: many published shapes call K M."""
    return "K" if dim == "M" else str(dim)
