"""The rows of a layer table, from CSV or YAML, each with its shape and the place errors name."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tilegrad.checks import wrong_separator
from tilegrad.errors import WorkloadError, unknown
from tilegrad.shape import Shape
from tilegrad.shape.conv import GROUPED
from tilegrad.workload.files import Located, expect_mapping, load_yaml, read_text
from tilegrad.workload.table_shapes import TableShapes

NAMES = ("layer", "name")
"""Either spelling heads the layer's name."""

SHAPE = "shape"
"""The column that names a row's shape; without one, or where it is empty, a convolution."""

OWN = ("network", *NAMES, "count", SHAPE)
"""Columns that are of no shape."""


@dataclass(frozen=True)
class Row:
    """One layer as written: ``where`` is its file and line, ``fields`` its unread values."""

    where: str
    fields: Mapping[str, object]
    shape: Shape = GROUPED


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a ``.csv``, ``.yaml`` or ``.yml`` table, their columns checked."""
    readers = {".csv": _csv_rows, ".yaml": _yaml_rows, ".yml": _yaml_rows}
    if path.suffix.lower() not in readers:
        raise WorkloadError(unknown("kind of layer table", path.suffix, readers, str(path)))
    rows = list(readers[path.suffix.lower()](path))
    if not rows:
        raise WorkloadError(f"{path}: the layer table has no layers (legal: at least one)")
    return rows


def _csv_rows(path: Path) -> Iterator[Row]:
    lines = _csv_lines(path)
    start, header = next(lines, (1, []))
    if not header:
        raise WorkloadError(f"{path}: the layer table is empty (legal: a header, then layers)")
    if (reason := wrong_separator(header)) is not None:
        raise WorkloadError(f"{path}, line {start}: {reason}")
    place = f"{path}, line {start}"
    if SHAPE not in header:
        _check_columns(header, (GROUPED,), place)
    rows = _csv_cells(lines, header, path)
    if SHAPE not in header:
        yield from rows
        return
    shapes = TableShapes(path)
    shaped = [_shaped(row, shapes) for row in rows]
    _check_columns(header, dict.fromkeys(row.shape for row in shaped) or (GROUPED,), place)
    yield from shaped


def _csv_cells(
    lines: Iterator[tuple[int, list[str]]], header: Sequence[str], path: Path
) -> Iterator[Row]:
    for line, cells in lines:
        where = f"{path}, line {line}"
        _check_width(cells, header, where)
        yield Row(where, dict(zip(header, cells, strict=True)))


def _shaped(row: Row, shapes: TableShapes) -> Row:
    """Return a row with the shape that it names, without cells that are empty."""
    name = row.fields.get(SHAPE)
    shape = shapes.named(name, f"{row.where}, field {SHAPE}") if name else GROUPED
    fields = {
        field: value
        for field, value in row.fields.items()
        if field != SHAPE and (field in OWN or value not in ("", None))
    }
    return Row(row.where, fields, shape)


def _csv_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, stripped cells) of every line that is not blank."""
    text = io.StringIO(read_text(path), newline="")
    reader = csv.reader(text, strict=True, skipinitialspace=True)
    start = 1
    try:
        for cells in reader:
            if cells:
                yield start, [cell.strip() for cell in cells]
            start = reader.line_num + 1
    except csv.Error as error:
        raise WorkloadError(f"{path}, line {start}: not legal CSV ({error})") from error


def _check_width(cells: Sequence[str], header: Sequence[str], where: str) -> None:
    if len(cells) < len(header):
        missing = header[len(cells)]
        reason = f"the row is cut short: field {missing} and what follows it are missing"
    elif len(cells) > len(header):
        reason = f"the row goes on after its last field {header[-1]}: {cells[len(header)]!r}"
    else:
        return
    raise WorkloadError(f"{where}: {reason} ({len(cells)} values; legal: {len(header)})")


def _yaml_rows(path: Path) -> Iterator[Row]:
    items, shapes = _yaml_items(load_yaml(path), path)
    for number, item in enumerate(items, start=1):
        layer = expect_mapping(item, f"{path}, item {number}")
        row = Row(f"{path}, line {layer.line}", layer)
        if SHAPE in layer:
            row = _shaped(row, shapes)
        _check_columns(list(row.fields), (row.shape,), row.where)
        yield row


def _yaml_items(document: object, path: Path) -> tuple[list[object], TableShapes]:
    """Return the layers, and the shapes that they may name."""
    shapes = TableShapes(path)
    if isinstance(document, Located):
        legal = ("layers", "shapes")
        for key in document:
            if key not in legal:
                raise WorkloadError(unknown("key", key, legal, f"{path}, line 1"))
        if "shapes" in document:
            shapes.add(expect_mapping(document["shapes"], f"{path}, field shapes"))
        document = document.get("layers")
    if not isinstance(document, list):
        raise WorkloadError(
            f"{path}: not a layer table (legal: a list of mappings, alone or under 'layers')"
        )
    return document, shapes


def _check_columns(columns: Sequence[str], shapes: Iterable[Shape], where: str) -> None:
    """Check columns against what shapes need, all together; each row's own are checked later."""
    shapes = tuple(shapes)
    legal = (*OWN, *dict.fromkeys(field for shape in shapes for field in shape.fields))
    for column in columns:
        if column not in legal:
            raise WorkloadError(unknown("column", column, legal, where))
        if columns.count(column) > 1:
            raise WorkloadError(f"{where}: column {column} is given twice (legal: once)")
    if sum(name in columns for name in NAMES) != 1:
        raise WorkloadError(f"{where}: legal: either a column layer or a column name, and not both")
    for shape in shapes:
        for column in shape.required:
            if column not in columns:
                required = ", ".join(("layer", *shape.required))
                raise WorkloadError(f"{where}: column {column} is missing (required: {required})")
