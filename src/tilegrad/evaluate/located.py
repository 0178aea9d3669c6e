"""A table to evaluate: a file, or a published table by name."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from tilegrad.errors import DataError, unknown
from tilegrad.schedules.download import locate
from tilegrad.schedules.published import TABLES

PUBLISHED = tuple(name for name, table in TABLES.items() if table.as_run is None)
"""Tables whose columns tell of the machine that their figures are of."""


def located_table(table: str | PathLike[str]) -> Path:
    """Return the file of ``table``, which is fetched where it is published and not here.

    Raises:
        DataError: a name without an ending is none of ``PUBLISHED``, or its file cannot be had.
    """
    path = Path(table)
    if str(table) in PUBLISHED and not path.exists():
        return locate(TABLES[str(table)].file)
    if not path.suffix and not path.exists():
        raise DataError(unknown("table", str(table), (*PUBLISHED, "a file")))
    return path
