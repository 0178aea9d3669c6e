"""Cycles, energy and EDP of the rows of one chunk; what does not fit is refused with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.cost.analytical import layer_cost
from tilegrad.cost.capacity import Overflow, find_overflows
from tilegrad.cost.nearest import nearest_text
from tilegrad.mapping import LoopNest
from tilegrad.nest import analyse
from tilegrad.tables.faults import Fault
from tilegrad.tables.nests import read_nests, sieve
from tilegrad.tables.rows import TableRows, read_rows
from tilegrad.tables.table_layout import TableLayout


@dataclass(frozen=True)
class Evaluated:
    """Legal rows with their values and relative errors ``[row]``, by name of the quantity."""

    rows: TableRows
    values: dict[str, Tensor]
    errors: dict[str, Tensor]
    bottleneck: list[str]


class Evaluator:
    """Evaluates the chunks of one table on one accelerator."""

    def __init__(self, layout: TableLayout, accelerator: Accelerator) -> None:
        self._layout = layout
        self._accelerator = accelerator
        self._parts = ["Arithmetic", *(level.name for level in accelerator.levels)]

    def __call__(self, batch: pa.RecordBatch, first: int) -> tuple[Evaluated, list[Fault]]:
        """Return the legal rows with their costs, and one fault for each of the others.

        ``first`` is the number of the batch's first row.
        """
        rows, faults = read_rows(batch, first, self._layout)
        rows, nests = read_nests(rows, self._accelerator, faults, self._remedy)
        return self._cost(rows, nests, faults), faults

    def _cost(self, rows: TableRows, nests: LoopNest, faults: list[Fault]) -> Evaluated:
        nest = analyse(nests, rows.strides, self._accelerator)
        overflows = find_overflows(nest, self._accelerator, rows.hardware)
        found = _too_large(rows, overflows)
        if found:
            place = min(found)
            rule, reason = found[place]
            found[place] = (rule, reason + self._remedy(rows, nests, place))
        kept = sieve(rows, found, faults)
        cost = layer_cost(nest, self._accelerator, rows.hardware)
        cycles = cost.cycles.expand(len(rows))[kept]
        energy = cost.energy_pj.expand(len(rows))[kept] * 1e-6
        values = {"cycles": cycles, "energy": energy, "edp": cycles * energy}
        by_part = cost.cycles_by_part.expand(len(rows), -1)
        rows = rows.keep(kept)
        errors = {
            quantity.name: values[quantity.name] / rows.references[quantity.name] - 1
            for quantity in self._layout.references
        }
        slowest = by_part[kept].argmax(-1).tolist()
        return Evaluated(rows, values, errors, [self._parts[part] for part in slowest])

    def _remedy(self, rows: TableRows, nests: LoopNest, place: int) -> str:
        """Return the nearest legal mapping that fits, as the end of a sentence."""
        hardware = {n: float(v.expand(len(rows))[place]) for n, v in rows.hardware.items()}
        nearest = nearest_text(nests[place], rows.strides[place], self._accelerator, hardware)
        return f"; {nearest}"


def _too_large(
    rows: TableRows, overflows: Mapping[int, list[Overflow]]
) -> dict[int, tuple[str, str]]:
    return {
        place: (
            f"{over[0].level} overflows ({over[0].what})",
            f"mapping {rows.texts[place]!r}: {'; '.join(map(str, over))}",
        )
        for place, over in overflows.items()
    }
