"""Whole tables of measured mappings, read into ``Schedules``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.errors import DataError
from tilegrad.mapping import Mapping as LoopNests
from tilegrad.mapping import concatenate
from tilegrad.schedules.identity import Networks, group, layer_name, machine_name
from tilegrad.schedules.schedules import Schedules
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


def as_schedules(
    rows: Rows,
    nests: LoopNests,
    accelerator: Accelerator,
    networks: Networks,
) -> Schedules:
    """Return schedules of ``rows``, whose references are the targets by name."""
    hardware = torch.empty(len(rows), len(accelerator.parameters), dtype=torch.float64)
    for column, name in enumerate(accelerator.parameters):
        hardware[:, column] = rows.hardware[name]
    layer, first_layer = group(torch.cat([rows.bounds, rows.strides], 1))
    machine, first_machine = group(hardware)
    bounds, strides = rows.bounds[first_layer].tolist(), rows.strides[first_layer].tolist()
    found = [networks.find(*pair) for pair in zip(bounds, strides, strict=True)]
    layer_names = [
        f"{networks.names[place[0]]} {place[1]}" if place else layer_name(*pair)
        for place, pair in zip(found, zip(bounds, strides, strict=True), strict=True)
    ]
    network, network_names = _networks(found, networks)
    return Schedules(
        accelerator,
        nests,
        rows.bounds,
        rows.strides,
        dict(rows.hardware),
        dict(rows.references),
        layer,
        machine,
        None if network is None else network[layer],
        tuple(layer_names),
        tuple(_machine_names(accelerator, hardware[first_machine].tolist())),
        network_names,
    )


def _machine_names(accelerator: Accelerator, machines: Sequence[Sequence[float]]) -> list[str]:
    parameters = accelerator.parameters
    return [
        machine_name(accelerator.name, dict(zip(parameters, machine, strict=True)))
        for machine in machines
    ]


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


def _networks(
    found: Sequence[tuple[int, str] | None], networks: Networks
) -> tuple[Tensor | None, tuple[str, ...]]:
    """Return the network id of each layer ``[layer]``; layers of none share a last one."""
    if not any(found):
        return None, ()
    numbers = [place[0] if place else len(networks.names) for place in found]
    used = list(dict.fromkeys(numbers))
    names = (*networks.names, "none of them")
    ids = torch.tensor([used.index(number) for number in numbers])
    return ids, tuple(names[number] for number in used)


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
