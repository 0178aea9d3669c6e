"""Schedules as a table with the columns that ``tilegrad evaluate`` and ``data=table`` read."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from tilegrad.mapping.shorthand import format_shorthand
from tilegrad.schedules.schedules import Schedules
from tilegrad.schedules.tables import COLUMNS, PER_UNIT
from tilegrad.tables.output import ParquetOutput
from tilegrad.tables.table_layout import BOUNDS, MAPPING, STEPS

CHUNK_ROWS = 16_384


def export_schedules(found: Schedules, path: Path) -> None:
    """Write a Parquet file; raise ``DataError`` where ``path`` cannot be one."""
    with ParquetOutput(path) as output:
        for start in range(0, len(found), CHUNK_ROWS):
            output.write(_batch(found[start : start + CHUNK_ROWS]))


def _batch(part: Schedules) -> pa.RecordBatch:
    rows = range(len(part))
    columns = {
        "layer": pa.array([part.layer_names[index] for index in part.layer.tolist()]),
        MAPPING: pa.array([format_shorthand(part.nests[row], part.accelerator) for row in rows]),
    }
    for names, values in ((BOUNDS, part.bounds), (STEPS, part.strides)):
        for name, column in zip(names, values.unbind(1), strict=True):
            columns[name] = pa.array(column.long().numpy())
    for name, column in part.hardware.items():
        columns[name] = pa.array(column.numpy())
    for name, column in part.targets.items():
        columns[COLUMNS[name]] = pa.array((column / PER_UNIT[name]).numpy())
    return pa.RecordBatch.from_pydict(columns)
