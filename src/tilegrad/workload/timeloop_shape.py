"""Timeloop problem shapes: what is computed, by the packaged shapes' names where it is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tilegrad.errors import WorkloadError, nearest
from tilegrad.shape import Shape, build_shape, packaged_shape, packaged_shapes
from tilegrad.shape.conv import CONV
from tilegrad.workload.files import Located, expect_list, expect_mapping
from tilegrad.workload.timeloop_projection import Projection, expressions, read_projection, roles
from tilegrad.workload.values import parse_positive

NAMED_SHAPES = ("cnn-layer", "cnn_layer")
"""Timeloop's names for its packaged CNN layer, before and since its version 0.4."""

Terms = dict[str, set[frozenset[tuple[str, str | None]]]]
"""Of each tensor, its axes: sets of dims with their coefficients."""


@dataclass(frozen=True)
class TimeloopShape:
    """A problem's shape, and how Timeloop's file writes it.

    ``dims`` and ``spaces`` give this project's names of its dims and data spaces (roles);
    ``defaults`` are its coefficients'.
    """

    shape: Shape = CONV
    dims: Mapping[str, str] = field(default_factory=lambda: {dim: dim for dim in CONV.dims})
    defaults: Mapping[str, int] = field(
        default_factory=lambda: dict(zip(CONV.coefficients, CONV.defaults, strict=True))
    )
    spaces: Mapping[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        """The legal fields of an instance."""
        return (*self.dims, *self.defaults)


def read_timeloop_shape(value: object, where: str) -> TimeloopShape:
    """Return the shape that ``problem.shape`` names or describes; ``where`` begins the error."""
    if value is None:
        return TimeloopShape()
    if isinstance(value, str):
        return _named(value, where)
    return _inline(expect_mapping(value, where), where)


def _named(value: str, where: str) -> TimeloopShape:
    name = value
    for suffix in (".yaml", ".yml", ".cfg"):
        name = name.removesuffix(suffix)
    if name not in NAMED_SHAPES:
        raise WorkloadError(
            f"{where}: {value!r} is not the seven-dimensional CNN layer "
            f"({nearest(name, NAMED_SHAPES)}; any other: dimensions and data_spaces written out)"
        )
    return TimeloopShape()


def _inline(stated: Located, where: str) -> TimeloopShape:
    dims = [str(d) for d in expect_list(stated.get("dimensions"), f"{where}, field dimensions")]
    defaults = _coefficients(stated, where)
    spaces, written = _data_spaces(stated, where)
    role = roles(spaces, written, f"{where}, field data_spaces")
    tensors = {role[name]: axes for name, axes in spaces.items()}
    described = {
        "name": str(stated.get("name") or "-".join(dims)),
        "dims": dims,
        "coefficients": defaults,
        "tensors": {name: expressions(axes) for name, axes in tensors.items()},
    }
    shape = build_shape(described, where)
    # Many published convolutions call the output channels M.
    names = {dim: "K" if dim == "M" and "K" not in dims else dim for dim in dims}
    known = _recognised(_terms(tensors, names), defaults)
    if known is None:
        return TimeloopShape(shape, {dim: dim for dim in dims}, defaults, role)
    return TimeloopShape(known, names, defaults, role)


def _terms(tensors: Mapping[str, Projection], names: Mapping[str, str]) -> Terms:
    return {
        role: {frozenset((names[dim], constant) for dim, constant in axis) for axis in axes}
        for role, axes in tensors.items()
    }


def _recognised(terms: Terms, defaults: Mapping[str, int]) -> Shape | None:
    """Return the packaged shape of these axes; a term without a coefficient has one of 1."""
    for shape in (CONV, *map(packaged_shape, packaged_shapes())):
        used = {constant for axes in terms.values() for axis in axes for _, constant in axis}
        own = {
            role: {
                frozenset(
                    (shape.dims[t.dim], t.coefficient if t.coefficient in used else None)
                    for t in axis.terms
                )
                for axis in shape.tensor(role)
            }
            for role in terms
        }
        if own == terms and set(defaults) <= set(shape.coefficients):
            return shape
    return None


def _coefficients(stated: Located, where: str) -> dict[str, int]:
    place = f"{where}, field coefficients"
    defaults = {}
    for item in expect_list(stated.get("coefficients") or [], place):
        entry = expect_mapping(item, place)
        name = str(entry.get("name"))
        defaults[name] = parse_positive(entry.get("default"), f"{place}, default of {name}")
    return defaults


def _data_spaces(stated: Located, where: str) -> tuple[dict[str, Projection], list[str]]:
    """Return the projection of each data space, and the names of those that are written."""
    # Timeloop renamed the keys when it moved to version 0.4.
    spaces = stated.get("data_spaces", stated.get("data-spaces"))
    place = f"{where}, field data_spaces"
    found: dict[str, Projection] = {}
    written = []
    for item in expect_list(spaces, place):
        entry = expect_mapping(item, place)
        name = str(entry.get("name"))
        if name in found:
            raise WorkloadError(f"{place}: {name} is given twice; legal: once")
        found[name] = read_projection(entry.get("projection"), f"{where}, data space {name}")
        if entry.get("read_write", entry.get("read-write")):
            written.append(name)
    return found, written
