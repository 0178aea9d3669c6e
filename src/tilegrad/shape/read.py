"""Shapes from YAML: dims, coefficients, and tensors as lists of index expressions."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from tilegrad.errors import WorkloadError, unknown
from tilegrad.shape.shape import LETTERS, ROLES, Axis, Shape, Term
from tilegrad.yaml_files import YAML_SUFFIXES, read_mapping

FIELDS = ("name", "dims", "coefficients", "tensors", "optional", "left_out", "like")


def packaged_shapes() -> tuple[str, ...]:
    """Return the names that ``load_shape`` knows."""
    folder = resources.files("tilegrad.shape") / "packaged"
    return tuple(sorted(Path(file.name).stem for file in folder.iterdir()))


@cache
def packaged_shape(name: str) -> Shape:
    """Return a packaged shape."""
    if name not in packaged_shapes():
        raise WorkloadError(unknown("shape", name, packaged_shapes()))
    folder = resources.files("tilegrad.shape") / "packaged"
    with resources.as_file(folder / f"{name}.yaml") as path:
        return read_shape(path)


def load_shape(name_or_path: str) -> Shape:
    """Return a packaged shape by name, or the one that a YAML file describes.

    Raises ``WorkloadError`` naming the file and the field, or the legal names.
    """
    if Path(name_or_path).suffix.lower() in YAML_SUFFIXES:
        return read_shape(Path(name_or_path))
    return packaged_shape(name_or_path)


def read_shape(path: Path) -> Shape:
    """Return the shape that a YAML file describes, named after the file if it has no name."""
    found = read_mapping(path, WorkloadError, "dims and tensors")
    return build_shape({"name": path.stem, **found}, str(path))


def build_shape(described: Mapping[str, Any], where: str) -> Shape:
    """Return the shape of a description; ``where`` begins the error.

    ``dims``: names. ``tensors``: Weights, Inputs, Outputs, each a list of index expressions such as
    ``P * Wstride + R``. ``coefficients``: defaults by name. ``optional``: dims that are 1 where a
    layer does not give them; ``left_out``: those that a layer of 1 does without. ``like``: what a
    dim is to an accelerator, under a convolution's names, where its tensors do not tell.
    """
    for field in described:
        if field not in FIELDS:
            raise WorkloadError(unknown("field", str(field), FIELDS, where))
    name = described.get("name")
    if not isinstance(name, str) or not name:
        raise WorkloadError(f"{where}, field name: {name!r} is not legal (legal: a text)")
    dims = _names(described, "dims", where)
    coefficients = _coefficients(described, dims, where)
    tensors = _mapping(described, "tensors", where)
    if set(tensors) != set(ROLES):
        told = ", ".join(map(str, tensors)) or "none"
        raise WorkloadError(f"{where}, field tensors: {told}; legal: {', '.join(ROLES)}")
    axes = tuple(
        tuple(
            _axis(text, dims, tuple(coefficients), f"{where}, tensor {role}")
            for text in _list(tensors, role, where)
        )
        for role in ROLES
    )
    try:
        shape = Shape(
            name,
            dims,
            axes,
            tuple(coefficients),
            tuple(coefficients.values()),
            _subset(described, "optional", dims, where),
            _subset(described, "left_out", dims, where),
        )
    except WorkloadError as error:
        raise WorkloadError(f"{where}: {error}") from None
    return _liked(shape, _mapping(described, "like", where), where)


def _coefficients(
    described: Mapping[str, Any], dims: tuple[str, ...], where: str
) -> Mapping[str, int]:
    coefficients = _mapping(described, "coefficients", where)
    for constant, value in coefficients.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise WorkloadError(
                f"{where}, field coefficients.{constant}: {value!r}; legal: an integer >= 1"
            )
        if constant in dims or not str(constant).isidentifier():
            raise WorkloadError(
                f"{where}, field coefficients: {constant!r}; legal: names of no dim"
            )
    return coefficients


def _liked(shape: Shape, like: Mapping[str, Any], where: str) -> Shape:
    letters = dict(zip(shape.dims, shape.letters, strict=True))
    for dim, letter in like.items():
        if dim not in letters:
            raise WorkloadError(unknown("dim", str(dim), shape.dims, f"{where}, field like"))
        if letter not in LETTERS:
            raise WorkloadError(unknown("kind", str(letter), LETTERS, f"{where}, like.{dim}"))
    letters |= {str(dim): str(letter) for dim, letter in like.items()}
    fields = {name: getattr(shape, name) for name in shape.__dataclass_fields__}
    return Shape(**{**fields, "letters": tuple(letters.values())}) if like else shape


def _axis(text: object, dims: tuple[str, ...], coefficients: tuple[str, ...], where: str) -> Axis:
    try:
        tree = ast.parse(str(text), mode="eval").body
    except SyntaxError:
        tree = None
    terms: list[Term] = []
    while isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add):
        terms.insert(0, _term(tree.right, text, dims, coefficients, where))
        tree = tree.left
    return Axis((_term(tree, text, dims, coefficients, where), *terms))


def _term(
    node: ast.expr | None,
    text: object,
    dims: tuple[str, ...],
    coefficients: tuple[str, ...],
    where: str,
) -> Term:
    match node:
        case ast.Name(id=name):
            return Term(_dim(name, dims, where))
        case ast.BinOp(left=ast.Name(id=name), op=ast.Mult(), right=ast.Name(id=constant)):
            if name in coefficients:
                name, constant = constant, name
            if constant not in coefficients:
                raise WorkloadError(unknown("coefficient", constant, coefficients, where))
            return Term(_dim(name, dims, where), constant)
        case (
            ast.BinOp(left=ast.Name(id=name), op=ast.Mult(), right=ast.Constant(value=int(number)))
            | ast.BinOp(
                left=ast.Constant(value=int(number)), op=ast.Mult(), right=ast.Name(id=name)
            )
        ) if number >= 1 and not isinstance(number, bool):
            return Term(_dim(name, dims, where), number)
    raise WorkloadError(
        f"{where}: {str(text)!r} is no index; legal: a dim, or a sum of dims, each times a "
        "coefficient or an integer >= 1"
    )


def _dim(name: str, dims: tuple[str, ...], where: str) -> int:
    if name not in dims:
        raise WorkloadError(unknown("dim", name, dims, where))
    return dims.index(name)


def _names(described: Mapping[str, Any], field: str, where: str) -> tuple[str, ...]:
    names = _list(described, field, where)
    for name in names:
        if not isinstance(name, str) or not name.isalpha() or not name.isascii():
            raise WorkloadError(f"{where}, field {field}: {name!r}; legal: names of letters alone")
        if names.count(name) > 1:
            raise WorkloadError(f"{where}, field {field}: {name} is given twice; legal: once")
    return tuple(map(str, names))


def _subset(
    described: Mapping[str, Any], field: str, dims: tuple[str, ...], where: str
) -> tuple[str, ...]:
    names = _list(described, field, where) if field in described else []
    for name in names:
        if name not in dims:
            raise WorkloadError(unknown("dim", str(name), dims, f"{where}, field {field}"))
    return tuple(map(str, names))


def _list(described: Mapping[str, Any], field: str, where: str) -> list[Any]:
    value = described.get(field)
    if not isinstance(value, list) or not value:
        raise WorkloadError(f"{where}, field {field}: {value!r} is not legal (legal: a list)")
    return value


def _mapping(described: Mapping[str, Any], field: str, where: str) -> Mapping[str, Any]:
    value = described.get(field) or {}
    if not isinstance(value, Mapping):
        raise WorkloadError(f"{where}, field {field}: {value!r} is not legal (legal: a mapping)")
    return value
