"""Whole tables of measured mappings, read into ``Schedules``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.errors import DataError
from tilegrad.mapping import LoopNest, concatenate
from tilegrad.schedules.called import as_run, columns_of, read_calls
from tilegrad.schedules.catalogue import catalogue_of
from tilegrad.schedules.findings import fault_findings, impossible, measured, repeated, single
from tilegrad.schedules.identity import Networks
from tilegrad.schedules.schedule_rows import ScheduleRows
from tilegrad.schedules.schedules import Schedules
from tilegrad.tables.faults import FaultTally
from tilegrad.tables.nests import read_nests
from tilegrad.tables.rows import TableRows, read_rows
from tilegrad.tables.source import open_table
from tilegrad.tables.table_layout import Quantity, TableLayout, find_layout

CHUNK_ROWS = 16_384

Progress = Callable[[int, float], None]
"""Is told the rows so far and the fraction done."""


@dataclass(frozen=True)
class Reading:
    """How to read a table: the accelerator, where targets are, hardware of all rows, networks.

    ``duplicates`` keeps rows that repeat others; ``skip_invalid`` leaves illegal rows out and
    reports them instead of refusing the table.
    """

    accelerator: Accelerator
    quantities: Sequence[Quantity]
    fixed: Mapping[str, float]
    networks: Sequence[str] = ()
    duplicates: bool = False
    skip_invalid: bool = False


def read_schedules(path: Path, reading: Reading, progress: Progress | None = None) -> Schedules:
    """Return the schedules of a table, with what is odd about it as findings.

    Raises ``DataError`` for a table that cannot be read, lacks a column or has no legal row, and
    for illegal rows unless they are to be skipped.
    """
    rows, nests, calls, faults = _read_rows(path, reading, progress)
    again, findings = repeated(rows, left_out=not reading.duplicates)
    if not reading.duplicates:
        kept = (~again).nonzero().flatten()
        rows, nests = rows.keep(kept), nests[kept]
        calls = None if calls is None else calls[kept]
    catalogue, (layer, machine) = catalogue_of(
        rows, reading.accelerator, Networks(reading.networks)
    )
    found = catalogue.schedules(ScheduleRows(nests, layer, machine, rows.references, calls))
    return found.noting(
        *fault_findings(faults),
        *findings,
        *impossible(rows, nests),
        *single(layer, found.layer_names),
    )


def _read_rows(
    path: Path, reading: Reading, progress: Progress | None
) -> tuple[TableRows, LoopNest, Tensor | None, FaultTally]:
    rows: list[TableRows] = []
    nests: list[LoopNest] = []
    calls: list[Tensor] = []
    tally = FaultTally()
    count = 0
    with open_table(path) as source:
        layout = _layout(source.columns, reading, str(path))
        for batch in source.chunks(layout.columns, CHUNK_ROWS):
            legal, faults = read_rows(batch, count + 1, layout)
            legal = measured(legal, layout, faults)
            legal, called = read_calls(legal, reading.accelerator, faults)
            numbers = legal.number
            legal, parsed = read_nests(legal, reading.accelerator, faults)
            if called is not None:
                calls.append(called[torch.isin(numbers, legal.number)])
            rows.append(legal)
            nests.append(parsed)
            tally.add(faults)
            count += len(batch)
            if progress:
                progress(count, source.fraction())
    if not count:
        raise DataError(f"{path}: the table has no rows (legal: at least one)")
    bad = tally.counts.total()
    if bad and not (reading.skip_invalid and bad < count):
        raise DataError(tally.message(str(path), count))
    return _join(rows), concatenate(nests), torch.cat(calls) if calls else None, tally


def _layout(columns: Sequence[str], reading: Reading, where: str) -> TableLayout:
    layout = find_layout(
        columns,
        reading.accelerator,
        where,
        quantities=[as_run(each, columns, reading.accelerator) for each in reading.quantities],
        fixed=reading.fixed,
        texts=columns_of(reading.accelerator),
    )
    if not layout.references:
        needed = ", ".join(quantity.reference for quantity in reading.quantities)
        raise DataError(f"{where}: no column holds a target (legal: at least one of {needed})")
    return layout


def _join(parts: Sequence[TableRows]) -> TableRows:
    first = parts[0]
    return TableRows(
        torch.cat([part.number for part in parts]),
        [text for part in parts for text in part.texts],
        torch.cat([part.bounds for part in parts]),
        torch.cat([part.strides for part in parts]),
        {name: torch.cat([part.hardware[name] for part in parts]) for name in first.hardware},
        {name: torch.cat([part.references[name] for part in parts]) for name in first.references},
        {name: [said for part in parts for said in part.others[name]] for name in first.others},
    )
