"""Whole tables of measured mappings, read into ``Schedules``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from tilegrad.accelerator import Accelerator
from tilegrad.errors import DataError
from tilegrad.mapping import Mapping as LoopNests
from tilegrad.mapping import concatenate
from tilegrad.tables.faults import FaultTally
from tilegrad.tables.layout import Layout, Quantity, find_layout
from tilegrad.tables.nests import read_nests
from tilegrad.tables.rows import Rows, read_rows
from tilegrad.tables.source import open_table

CHUNK_ROWS = 16_384

Progress = Callable[[int, float], None]
"""Is told the rows so far and the fraction done."""


@dataclass(frozen=True)
class Reading:
    """How to read a table: the accelerator, where the targets are, hardware of all rows."""

    accelerator: Accelerator
    quantities: Sequence[Quantity]
    fixed: Mapping[str, float] = field(default_factory=dict)


def read_table(
    path: Path, reading: Reading, progress: Progress | None = None
) -> tuple[Rows, LoopNests, FaultTally]:
    """Return the legal rows of a table, their nests and the faults of the other rows.

    Raises ``DataError`` for a table that cannot be read, lacks a column or has no legal row.
    """
    rows: list[Rows] = []
    nests: list[LoopNests] = []
    tally = FaultTally()
    count = 0
    with open_table(path) as source:
        layout = _layout(source.columns, reading, str(path))
        for batch in source.chunks(layout.columns, CHUNK_ROWS):
            legal, faults = read_rows(batch, count + 1, layout)
            legal, parsed = read_nests(legal, reading.accelerator, faults)
            rows.append(legal)
            nests.append(parsed)
            tally.add(faults)
            count += len(batch)
            if progress:
                progress(count, source.fraction())
    if not count:
        raise DataError(f"{path}: the table has no rows (legal: at least one)")
    if tally.counts.total() == count:
        raise DataError(tally.message(str(path), count))
    return _join(rows), concatenate(nests), tally


def _layout(columns: Sequence[str], reading: Reading, where: str) -> Layout:
    layout = find_layout(
        columns,
        reading.accelerator,
        where,
        quantities=reading.quantities,
        fixed=reading.fixed,
    )
    if not layout.references:
        needed = ", ".join(quantity.reference for quantity in reading.quantities)
        raise DataError(f"{where}: no column holds a target (legal: at least one of {needed})")
    return layout


def _join(parts: Sequence[Rows]) -> Rows:
    first = parts[0]
    return Rows(
        torch.cat([part.number for part in parts]),
        [text for part in parts for text in part.texts],
        torch.cat([part.bounds for part in parts]),
        torch.cat([part.strides for part in parts]),
        {name: torch.cat([part.hardware[name] for part in parts]) for name in first.hardware},
        {name: torch.cat([part.references[name] for part in parts]) for name in first.references},
    )
