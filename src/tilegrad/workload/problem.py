"""One layer: its shape, loop bounds and strides, and how often the network repeats it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from tilegrad.errors import WorkloadError, unknown
from tilegrad.shape import ROLES, Shape, Term
from tilegrad.shape.conv import CONV, GROUPED
from tilegrad.workload.values import check_positive, parse_positive


@dataclass(frozen=True)
class Problem:
    """A loop nest of some shape: by default a convolution (a matrix product is one of ones).

    ``bounds`` follow ``shape.dims``, ``strides`` follow ``shape.coefficients`` (none: the shape's
    defaults); ``also`` are the names of equal layers that it stands for beside its own. Anything
    but integers in 1..2**53 raises a ``WorkloadError`` that names the layer, the field and the
    value.
    """

    name: str
    bounds: tuple[int, ...]
    strides: tuple[int, ...] = ()
    count: int = 1
    also: tuple[str, ...] = dataclasses.field(default=(), compare=False, repr=False)
    shape: Shape = CONV

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise WorkloadError(f"layer name {self.name!r} is not legal (legal: a non-empty name)")
        place = f"layer {self.name!r}"
        if self.strides == ():
            # A frozen dataclass may only normalise its own fields this way.
            object.__setattr__(self, "strides", self.shape.defaults)
        _check_tuple(self.bounds, self.shape.dims, f"{place}, field bounds")
        _check_tuple(self.strides, self.shape.coefficients, f"{place}, field strides")
        for field, value in {**self.as_dict(), "count": self.count}.items():
            check_positive(value, f"{place}, field {field}")

    @classmethod
    def from_fields(
        cls,
        name: str,
        fields: Mapping[str, object],
        count: object = 1,
        where: str = "",
        shape: Shape = GROUPED,
    ) -> Problem:
        """Build from named values; what the shape calls optional, and its coefficients, may lack.

        ``where`` (a file and line) begins the error for a field that is unknown, missing or
        not a positive integer. ``"64"`` and ``64.0`` are read as 64. A dim that the shape leaves
        out where it is 1 (a convolution's groups) is not part of such a layer's shape.
        """
        place = f"{where}, layer {name!r}" if where else f"layer {name!r}"
        _check_names(fields, shape, place)
        values = {
            field: parse_positive(
                fields.get(field, shape.default(field)), f"{place}, field {field}"
            )
            for field in shape.fields
        }
        reduced = shape.without(dim for dim in shape.left_out if values[dim] == 1)
        bounds = tuple(values[dim] for dim in reduced.dims)
        strides = tuple(values[constant] for constant in reduced.coefficients)
        counted = parse_positive(count, f"{place}, field count")
        return cls(name, bounds, strides, counted, shape=reduced)

    @property
    def signature(self) -> tuple[Shape, tuple[int, ...], tuple[int, ...]]:
        """What tells layers apart: shape, bounds and strides."""
        return self.shape, self.bounds, self.strides

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one execution of the layer (``count`` is not applied)."""
        return math.prod(self.bounds)

    def tensor_sizes(self) -> dict[str, int]:
        """Return the words of Weights, Inputs and Outputs.

        A tensor is its bounding box: the holes that strides and dilations leave are counted.
        """
        values = self.as_dict()

        def steps(term: Term) -> int:
            if isinstance(term.coefficient, str):
                return values[term.coefficient]
            return term.coefficient

        return {
            role: math.prod(
                sum((self.bounds[term.dim] - 1) * steps(term) for term in axis.terms) + 1
                for axis in self.shape.tensor(role)
            )
            for role in ROLES
        }

    def as_dict(self) -> dict[str, int]:
        """Return the bounds and strides by name; the inverse of ``from_fields``."""
        return dict(zip(self.shape.fields, (*self.bounds, *self.strides), strict=True))


def _check_tuple(values: object, names: tuple[str, ...], place: str) -> None:
    if not isinstance(values, tuple) or len(values) != len(names):
        legal = f"a tuple of {len(names)} integers: {', '.join(names)}"
        raise WorkloadError(f"{place}: {values!r} is not legal (legal: {legal})")


def _check_names(fields: Mapping[str, object], shape: Shape, place: str) -> None:
    for field in fields:
        if field not in shape.fields:
            raise WorkloadError(unknown("field", field, shape.fields, place))
    for field in shape.required:
        if field not in fields:
            required = ", ".join(shape.required)
            raise WorkloadError(f"{place}: field {field} is missing (required: {required})")
