"""Timeloop problem shapes: recognise the CNN layer, refuse every other with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tilegrad.errors import WorkloadError, nearest, unknown
from tilegrad.shape.conv import DIMS, STRIDES
from tilegrad.workload.files import Located, expect_list, expect_mapping
from tilegrad.workload.timeloop_projection import (
    AXES,
    Projection,
    canonical,
    check_axes,
    read_projection,
)
from tilegrad.workload.values import parse_positive

NAMED_SHAPES = ("cnn-layer", "cnn_layer")
"""Timeloop's names for its packaged CNN layer, before and since its version 0.4."""


@dataclass(frozen=True)
class Shape:
    """What an instance of the shape may say: its dimensions and its coefficients' defaults."""

    dimensions: tuple[str, ...] = DIMS
    defaults: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(STRIDES, 1))

    @property
    def fields(self) -> tuple[str, ...]:
        """The legal fields of an instance."""
        return (*self.dimensions, *self.defaults)

    @property
    def rename(self) -> dict[str, str]:
        """Many published shapes call the output channels M."""
        return {"M": "K"} if "M" in self.dimensions else {}


def read_shape(value: object, where: str) -> Shape:
    """Return the shape that ``problem.shape`` names or describes; ``where`` begins the error."""
    if value is None:
        return Shape()
    if isinstance(value, str):
        return _named(value, where)
    return _inline(expect_mapping(value, where), where)


def _named(value: str, where: str) -> Shape:
    name = value
    for suffix in (".yaml", ".yml", ".cfg"):
        name = name.removesuffix(suffix)
    if name not in NAMED_SHAPES:
        raise WorkloadError(
            f"{where}: {value!r} is not the seven-dimensional CNN layer "
            f"({nearest(name, NAMED_SHAPES)})"
        )
    return Shape()


def _inline(shape: Located, where: str) -> Shape:
    dimensions = _dimensions(shape, where)
    defaults = _coefficients(shape, where)
    used = set()
    for name, axes in _data_spaces(shape, where).items():
        used |= check_axes(axes, name, f"{where}, data space {name}")
    for coefficient in sorted(used - set(defaults)):
        raise WorkloadError(
            f"{where}, field coefficients: {coefficient} is missing, and a projection uses it"
        )
    return Shape(dimensions, {name: defaults[name] for name in STRIDES if name in used})


def _dimensions(shape: Located, where: str) -> tuple[str, ...]:
    dimensions = expect_list(shape.get("dimensions"), f"{where}, field dimensions")
    if sorted(canonical(dim) for dim in dimensions) != sorted(DIMS):
        shown = ", ".join(map(str, dimensions))
        raise WorkloadError(
            f"{where}, field dimensions: [{shown}] is not the seven-dimensional CNN layer "
            f"(legal: {', '.join(DIMS)}, in any order; M may stand for K)"
        )
    return tuple(map(str, dimensions))


def _coefficients(shape: Located, where: str) -> dict[str, int]:
    place = f"{where}, field coefficients"
    defaults = {}
    for item in expect_list(shape.get("coefficients") or [], place):
        entry = expect_mapping(item, place)
        name = entry.get("name")
        if name not in STRIDES:
            raise WorkloadError(unknown("coefficient", name, STRIDES, place))
        defaults[str(name)] = parse_positive(entry.get("default"), f"{place}, default of {name}")
    return defaults


def _data_spaces(shape: Located, where: str) -> dict[str, Projection]:
    """Return the projection of each data space: axes, each a sum of (dimension, coefficient)."""
    # Timeloop renamed the key when it moved to version 0.4.
    spaces = shape.get("data_spaces", shape.get("data-spaces"))
    place = f"{where}, field data_spaces"
    entries = [expect_mapping(item, place) for item in expect_list(spaces, place)]
    names = [str(entry.get("name")) for entry in entries]
    if sorted(names) != sorted(AXES):
        shown = ", ".join(names)
        raise WorkloadError(f"{place}: [{shown}] is not legal (legal: {', '.join(AXES)})")
    return {
        name: read_projection(entry.get("projection"), f"{where}, data space {name}")
        for name, entry in zip(names, entries, strict=True)
    }
