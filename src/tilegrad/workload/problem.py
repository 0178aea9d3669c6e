"""One layer: the bounds of its seven loops, its strides and how often the network repeats it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from tilegrad.dims import DIMS, STRIDES, TENSORS
from tilegrad.errors import WorkloadError, unknown
from tilegrad.workload.values import check_positive, parse_positive

FIELDS = (*DIMS, *STRIDES)
REQUIRED = tuple(dim for dim in DIMS if dim != "N")
"""A layer that names no batch has batch 1, and no stride means 1; the rest must be stated."""


@dataclass(frozen=True)
class Problem:
    """A convolution or matrix multiplication as a seven-dimensional loop nest.

    ``bounds`` follow ``DIMS`` (R S P Q C K N), ``strides`` follow ``STRIDES``; ``also`` are the
    names of equal layers that it stands for beside its own. Anything but
    integers in 1..2**53 raises a ``WorkloadError`` that names the layer, the field and the value.
    """

    name: str
    bounds: tuple[int, ...]
    strides: tuple[int, ...] = (1, 1, 1, 1)
    count: int = 1
    also: tuple[str, ...] = dataclasses.field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise WorkloadError(f"layer name {self.name!r} is not legal (legal: a non-empty name)")
        place = f"layer {self.name!r}"
        _check_tuple(self.bounds, DIMS, f"{place}, field bounds")
        _check_tuple(self.strides, STRIDES, f"{place}, field strides")
        for field, value in {**self.as_dict(), "count": self.count}.items():
            check_positive(value, f"{place}, field {field}")

    @classmethod
    def from_fields(
        cls, name: str, fields: Mapping[str, object], count: object = 1, where: str = ""
    ) -> Problem:
        """Build from named values; N, strides and dilations default to 1.

        ``where`` (a file and line) begins the error for a field that is unknown, missing or
        not a positive integer. ``"64"`` and ``64.0`` are read as 64.
        """
        place = f"{where}, layer {name!r}" if where else f"layer {name!r}"
        _check_names(fields, place)
        values = [parse_positive(fields.get(f, 1), f"{place}, field {f}") for f in FIELDS]
        bounds, strides = tuple(values[: len(DIMS)]), tuple(values[len(DIMS) :])
        return cls(name, bounds, strides, parse_positive(count, f"{place}, field count"))

    @property
    def shape(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What tells layers apart: bounds and strides."""
        return self.bounds, self.strides

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one execution of the layer (``count`` is not applied)."""
        return math.prod(self.bounds)

    def tensor_sizes(self) -> dict[str, int]:
        """Return the words of Weights, Inputs and Outputs.

        Inputs is its bounding box: the holes that strides and dilations leave are counted.
        """
        r, s, p, q, c, k, n = self.bounds
        wstride, hstride, wdilation, hdilation = self.strides
        rows = (p - 1) * wstride + (r - 1) * wdilation + 1
        columns = (q - 1) * hstride + (s - 1) * hdilation + 1
        sizes = (r * s * c * k, n * c * rows * columns, n * k * p * q)
        return dict(zip(TENSORS, sizes, strict=True))

    def as_dict(self) -> dict[str, int]:
        """Return the bounds and strides by name; the inverse of ``from_fields``."""
        return dict(zip(FIELDS, (*self.bounds, *self.strides), strict=True))


def _check_tuple(values: object, names: tuple[str, ...], place: str) -> None:
    if not isinstance(values, tuple) or len(values) != len(names):
        legal = f"a tuple of {len(names)} integers: {', '.join(names)}"
        raise WorkloadError(f"{place}: {values!r} is not legal (legal: {legal})")


def _check_names(fields: Mapping[str, object], place: str) -> None:
    for field in fields:
        if field not in FIELDS:
            raise WorkloadError(unknown("field", field, FIELDS, place))
    for field in REQUIRED:
        if field not in fields:
            required = ", ".join(REQUIRED)
            raise WorkloadError(f"{place}: field {field} is missing (required: {required})")
