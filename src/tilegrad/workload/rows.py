"""The rows of a layer table, from CSV or YAML, each with the place that errors name."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tilegrad.checks import wrong_separator
from tilegrad.errors import WorkloadError, unknown
from tilegrad.shape.conv import GROUPED
from tilegrad.workload.files import Located, expect_mapping, load_yaml, read_text

NAMES = ("layer", "name")
"""Either spelling heads the layer's name."""

COLUMNS = ("network", *NAMES, "count", *GROUPED.fields)


@dataclass(frozen=True)
class Row:
    """One layer as written: ``where`` is its file and line, ``fields`` its unread values."""

    where: str
    fields: Mapping[str, object]


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
    _check_columns(header, f"{path}, line {start}")
    for line, cells in lines:
        where = f"{path}, line {line}"
        _check_width(cells, header, where)
        yield Row(where, dict(zip(header, cells, strict=True)))


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
    for number, item in enumerate(_yaml_items(load_yaml(path), path), start=1):
        layer = expect_mapping(item, f"{path}, item {number}")
        where = f"{path}, line {layer.line}"
        _check_columns(list(layer), where)
        yield Row(where, layer)


def _yaml_items(document: object, path: Path) -> list[object]:
    if isinstance(document, Located):
        for key in document:
            if key != "layers":
                raise WorkloadError(unknown("key", key, ["layers"], f"{path}, line 1"))
        document = document.get("layers")
    if not isinstance(document, list):
        raise WorkloadError(
            f"{path}: not a layer table (legal: a list of mappings, alone or under 'layers')"
        )
    return document


def _check_columns(columns: Sequence[str], where: str) -> None:
    for column in columns:
        if column not in COLUMNS:
            raise WorkloadError(unknown("column", column, COLUMNS, where))
        if columns.count(column) > 1:
            raise WorkloadError(f"{where}: column {column} is given twice (legal: once)")
    if sum(name in columns for name in NAMES) != 1:
        raise WorkloadError(f"{where}: legal: either a column layer or a column name, and not both")
    for column in GROUPED.required:
        if column not in columns:
            required = ", ".join(("layer", *GROUPED.required))
            raise WorkloadError(f"{where}: column {column} is missing (required: {required})")
