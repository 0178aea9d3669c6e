"""Layers as Timeloop problems with their shape written out."""

from __future__ import annotations

from typing import Any

from tilegrad.shape import OUTPUTS, ROLES, Axis, Shape, Term
from tilegrad.targets.timeloop.names import dim_letters
from tilegrad.workload import Problem


def problem_document(problem: Problem, dialect: str) -> dict[str, Any]:
    """Return the problem of one layer in version 0.3 or 0.4."""
    shape, letters = problem.shape, dim_letters(problem.shape)
    sizes = {letters.get(field, field): size for field, size in problem.as_dict().items()}
    version = {} if dialect == "0.3" else {"version": "0.4"}
    return {"problem": {**version, "shape": _shape(shape, dialect), "instance": sizes}}


def _shape(shape: Shape, dialect: str) -> dict[str, Any]:
    dash = "-" if dialect == "0.3" else "_"
    spaces = [
        {"name": role, "projection": [_axis(axis, shape) for axis in shape.tensor(role)]}
        | ({f"read{dash}write": True} if role == OUTPUTS else {})
        for role in ROLES
    ]
    document = {
        "name": shape.name,
        "dimensions": list(dim_letters(shape).values()),
        "coefficients": [
            {"name": name, "default": value} for name, value in _coefficients(shape).items()
        ],
        f"data{dash}spaces": spaces,
    }
    return {field: value for field, value in document.items() if value}


def _axis(axis: Axis, shape: Shape) -> list[list[str]]:
    letters = list(dim_letters(shape).values())
    return [
        [letters[term.dim]] if term.coefficient == 1 else [letters[term.dim], _constant(term)]
        for term in axis.terms
    ]


def _coefficients(shape: Shape) -> dict[str, int]:
    """Return the constants with their values; Timeloop has names for numbers too."""
    terms = [term for role in ROLES for axis in shape.tensor(role) for term in axis.terms]
    numbers = {
        _constant(term): term.coefficient
        for term in terms
        if isinstance(term.coefficient, int) and term.coefficient != 1
    }
    return {**dict(zip(shape.coefficients, shape.defaults, strict=True)), **numbers}


def _constant(term: Term) -> str:
    return term.coefficient if isinstance(term.coefficient, str) else f"times{term.coefficient}"
