"""Which columns of a table give the mapping, the problem, the hardware and reference values."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.expression import Expression, parse_expression
from tilegrad.errors import DataError
from tilegrad.shape.conv import DIMS, STRIDES

MAPPING = "mapping.mapping"
BOUNDS = tuple(f"prob.{name}" for name in DIMS)
STEPS = tuple(f"prob.{name}" for name in STRIDES)


@dataclass(frozen=True)
class Quantity:
    """A quantity that is evaluated, and the column that may hold a reference for it.

    ``scale`` turns the reference into the unit of the evaluated value.
    """

    name: str
    column: str
    reference: str
    scale: float = 1.0

    @property
    def error_column(self) -> str:
        """The column of relative errors, value / reference - 1."""
        return f"{self.name}_error"


QUANTITIES = (
    Quantity("cycles", "cycles", "target.cycle"),
    Quantity("energy", "energy_uj", "target.energy"),
    # The public dataset gives EDP in uJ*cycles / 1e6.
    Quantity("edp", "edp", "target.edp", scale=1e6),
)


@dataclass(frozen=True)
class Formula:
    """A hardware parameter as an expression; ``columns`` resolves its names."""

    expression: Expression
    columns: Mapping[str, str]

    @property
    def used(self) -> tuple[str, ...]:
        """The columns that the expression uses."""
        return tuple(self.columns[name] for name in sorted(self.expression.names))

    def __call__(self, values: Mapping[str, Tensor]) -> Tensor:
        """Return the parameter ``[row]`` from the columns' ``values [row]``."""
        named = {name: values[self.columns[name]] for name in self.expression.names}
        return torch.as_tensor(self.expression(named), dtype=torch.float64)


@dataclass(frozen=True)
class TableLayout:
    """The columns to read: a formula for every hardware parameter, the references there are.

    ``texts`` are columns of text that a table may have beside these.
    """

    hardware: dict[str, Formula]
    references: tuple[Quantity, ...]
    texts: tuple[str, ...] = ()

    @property
    def hardware_columns(self) -> tuple[str, ...]:
        """The columns that the formulas use, each once."""
        formulas = self.hardware.values()
        return tuple(dict.fromkeys(column for formula in formulas for column in formula.used))

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns to read."""
        references = [quantity.reference for quantity in self.references]
        needed = [MAPPING, *BOUNDS, *STEPS, *self.hardware_columns]
        return tuple(dict.fromkeys([*needed, *references, *self.texts]))


def find_layout(
    columns: Sequence[str],
    accelerator: Accelerator,
    where: str,
    *,
    quantities: Sequence[Quantity] = QUANTITIES,
    fixed: Mapping[str, float] | None = None,
    texts: Sequence[str] = (),
) -> TableLayout:
    """Return the layout of a table with ``columns``; ``quantities`` may have references in it.

    ``texts`` are read where the table has them. ``fixed`` gives hardware parameters of all rows, a
    column named like one gives it otherwise, and failing that the accelerator's ``table`` section
    says how. Raises ``DataError`` naming a column that is missing or given twice.
    """
    fixed = fixed or {}
    needed = (MAPPING, *BOUNDS, *STEPS)
    for column in needed:
        if column not in columns:
            raise DataError(
                f"{where}: column {column!r} is missing{_closest([column], columns)} "
                f"(needed: {', '.join(needed)})"
            )
    layout = TableLayout(
        {
            name: _constant(fixed[name], where)
            if name in fixed
            else _formula(name, columns, accelerator, where)
            for name in accelerator.parameters
        },
        tuple(quantity for quantity in quantities if quantity.reference in columns),
        tuple(column for column in texts if column in columns),
    )
    for column in layout.columns:
        if list(columns).count(column) > 1:
            raise DataError(f"{where}: column {column!r} is given twice (legal: once)")
    return layout


def _constant(value: float, where: str) -> Formula:
    return Formula(parse_expression(value, [], where), {})


def _formula(
    parameter: str, columns: Sequence[str], accelerator: Accelerator, where: str
) -> Formula:
    if parameter in columns:
        return Formula(parse_expression(parameter, [parameter], where), {parameter: parameter})
    table = accelerator.table
    expression = table.parameters.get(parameter)
    formula = Formula(expression, table.columns) if expression else None
    sources = formula.used if formula else ()
    missing = [column for column in sources if column not in columns]
    if formula and not missing:
        return formula
    other = f", or the columns {', '.join(sources)}" if sources else ""
    raise DataError(
        f"{where}: no column gives hardware parameter {parameter!r} of accelerator "
        f"{accelerator.name}{_closest([parameter, *missing], columns)} "
        f"(legal: a column {parameter}{other})"
    )


def _closest(missing: Sequence[str], columns: Sequence[str]) -> str:
    """Return the column of the table that a missing one may have been meant to be."""
    for name in missing:
        for column in difflib.get_close_matches(name, columns, n=1, cutoff=0.75):
            return f"; nearest in the table: {column!r}"
    return ""
