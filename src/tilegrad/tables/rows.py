"""The rows of one chunk of a table, their cells checked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from tilegrad.tables import cells
from tilegrad.tables.cells import BoolArray, FloatArray
from tilegrad.tables.faults import Fault
from tilegrad.tables.table_layout import BOUNDS, MAPPING, STEPS, TableLayout

LARGEST = 2**53
"""float64 holds every integer up to here exactly."""

_COUNT = f"an integer from 1 to {LARGEST}"
_SIZE = "a number > 0"


@dataclass(frozen=True)
class TableRows:
    """Legal rows: ``number [row]`` counts from 1 in the table, ``bounds [row, dim]``,
    ``strides [row, 4]``, hardware parameters and references ``[row]``, the references in
    the unit of the evaluated quantity and NaN where none is given. ``texts`` are the mappings,
    ``others`` what the layout's columns of text say, "" where nothing.
    """

    number: Tensor
    texts: list[str]
    bounds: Tensor
    strides: Tensor
    hardware: dict[str, Tensor]
    references: dict[str, Tensor]
    others: dict[str, list[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.texts)

    def keep(self, kept: Tensor) -> TableRows:
        """Return the rows at the given places, which are in order."""
        if len(kept) == len(self):
            return self
        return TableRows(
            self.number[kept],
            [self.texts[place] for place in kept.tolist()],
            self.bounds[kept],
            self.strides[kept],
            {name: values[kept] for name, values in self.hardware.items()},
            {name: values[kept] for name, values in self.references.items()},
            {name: [said[p] for p in kept.tolist()] for name, said in self.others.items()},
        )


def others(count: int, places: Collection[int]) -> Tensor:
    """Return the places below ``count`` that are not in ``places``, in order."""
    kept = torch.ones(count, dtype=torch.bool)
    kept[list(places)] = False
    return kept.nonzero().flatten()


def read_rows(
    batch: pa.RecordBatch, first: int, layout: TableLayout
) -> tuple[TableRows, list[Fault]]:
    """Return the rows of a chunk whose cells are legal, and one fault for each of the others.

    ``first`` is the number of the chunk's first row.
    """
    reader = _Reader(batch, first)
    bounds = torch.stack([reader.counts(column) for column in BOUNDS], 1)
    strides = torch.stack([reader.counts(column) for column in STEPS], 1)
    sizes = {column: reader.sizes(column) for column in layout.hardware_columns}
    hardware = {name: formula(sizes) for name, formula in layout.hardware.items()}
    references = {q.name: reader.references(q.reference) * q.scale for q in layout.references}
    rows = TableRows(
        first + torch.arange(len(batch)),
        cells.texts(batch.column(MAPPING)),
        bounds,
        strides,
        {name: values.expand(len(batch)) for name, values in hardware.items()},
        references,
        {column: cells.texts(batch.column(column)) for column in layout.texts},
    )
    reader.check_totals(rows)
    return rows.keep(others(len(rows), reader.faults)), list(reader.faults.values())


class _Reader:
    """Reads columns ``[row]`` as float64; ``faults`` holds the first one of each row, by place."""

    def __init__(self, batch: pa.RecordBatch, first: int) -> None:
        self._batch = batch
        self._first = first
        self.faults: dict[int, Fault] = {}

    def counts(self, column: str) -> Tensor:
        """Read integers from 1 on."""
        values = cells.numbers(self._batch.column(column))
        legal = (values >= 1) & (values <= LARGEST) & (values == np.floor(values))
        return self._checked(column, values, legal, _COUNT)

    def sizes(self, column: str) -> Tensor:
        """Read finite numbers above 0."""
        values = cells.numbers(self._batch.column(column))
        return self._checked(column, values, _positive(values), _SIZE)

    def references(self, column: str) -> Tensor:
        """Read finite numbers above 0; an absent one is NaN."""
        values = cells.numbers(self._batch.column(column))
        legal = _positive(values) | cells.absent(self._batch.column(column))
        return self._checked(column, values, legal, f"{_SIZE}, or nothing")

    def check_totals(self, rows: TableRows) -> None:
        """Refuse what only several cells together make illegal."""
        macs = rows.bounds.prod(1)
        for place in (macs > LARGEST).nonzero().flatten().tolist():
            shown = f"the bounds multiply to {macs[place]:.6g}"
            self._refuse(place, "prob.*", f"{shown}; legal: at most {LARGEST} operations")
        for name, values in rows.hardware.items():
            for place in np.flatnonzero(~_positive(values.numpy())).tolist():
                shown = f"the row's columns make it {values[place]:g}"
                self._refuse(place, name, f"{shown}; legal: {_SIZE}")

    def _checked(self, column: str, values: FloatArray, legal: BoolArray, rule: str) -> Tensor:
        for place in np.flatnonzero(~legal).tolist():
            shown = cells.shown(self._batch.column(column), place)
            self._refuse(place, column, f"{shown} is not legal (legal: {rule})")
        return torch.from_numpy(values)

    def _refuse(self, place: int, column: str, reason: str) -> None:
        fault = Fault(self._first + place, column, f"illegal value in {column}", reason)
        self.faults.setdefault(place, fault)


def _positive(values: FloatArray) -> BoolArray:
    return np.asarray(np.isfinite(values) & (values > 0))
