"""The shapes that the rows of a layer table name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tilegrad.errors import WorkloadError, unknown
from tilegrad.shape import Shape, build_shape, packaged_shape, packaged_shapes, read_shape
from tilegrad.workload.files import expect_mapping
from tilegrad.yaml_files import YAML_SUFFIXES


class TableShapes:
    """Shapes by what a row calls them: packaged ones, the table's own, and those of YAML files.

    A file's path is relative to the table. Each is read once.
    """

    def __init__(self, table: Path) -> None:
        self._table = table
        self._own: dict[str, Shape] = {}
        self._files: dict[str, Shape] = {}

    def add(self, described: Mapping[str, object]) -> None:
        """Take the shapes that a table describes by name; refuse the name of a packaged one."""
        for name, fields in described.items():
            place = f"{self._table}, shape {name!r}"
            if name in packaged_shapes():
                raise WorkloadError(f"{place}: a packaged shape has that name; legal: another")
            stated = expect_mapping(fields, place)
            self._own[str(name)] = build_shape({"name": str(name), **stated}, place)

    def named(self, name: object, where: str) -> Shape:
        """Return the shape that a row calls ``name``; ``where`` begins the error."""
        text = str(name)
        if text in self._own:
            return self._own[text]
        if Path(text).suffix.lower() in YAML_SUFFIXES:
            if text not in self._files:
                self._files[text] = read_shape(self._table.parent / text)
            return self._files[text]
        if text not in packaged_shapes():
            legal = (*packaged_shapes(), *self._own, "a YAML file")
            raise WorkloadError(unknown("shape", text, legal, where))
        return packaged_shape(text)
