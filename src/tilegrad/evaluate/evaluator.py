"""Cycles, energy and EDP of the rows of one chunk; what does not fit is refused with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.cost.analytical import layer_cost
from tilegrad.cost.capacity import Overflow, find_overflows
from tilegrad.cost.nearest import nearest_fitting
from tilegrad.errors import MappingError
from tilegrad.evaluate.faults import Fault
from tilegrad.evaluate.layout import MAPPING, Layout
from tilegrad.evaluate.rows import Rows, others, read_rows
from tilegrad.mapping import Mapping as LoopNests
from tilegrad.mapping.shorthand import format_shorthand, parse_shorthand, parse_shorthands
from tilegrad.mapping.validity import find_violations
from tilegrad.nest import analyse

Found = Mapping[int, tuple[str, str]]
"""Broken rule and reason, by place among the rows."""


@dataclass(frozen=True)
class Evaluated:
    """Legal rows with their values and relative errors ``[row]``, by name of the quantity."""

    rows: Rows
    values: dict[str, Tensor]
    errors: dict[str, Tensor]
    bottleneck: list[str]


class Evaluator:
    """Evaluates the chunks of one table on one accelerator."""

    def __init__(self, layout: Layout, accelerator: Accelerator) -> None:
        self._layout = layout
        self._accelerator = accelerator
        self._parts = ["Arithmetic", *(level.name for level in accelerator.levels)]

    def __call__(self, batch: pa.RecordBatch, first: int) -> tuple[Evaluated, list[Fault]]:
        """Return the legal rows with their costs, and one fault for each of the others.

        ``first`` is the number of the batch's first row.
        """
        rows, faults = read_rows(batch, first, self._layout)
        rows, nests = self._parse(rows, faults)
        kept = _sieve(rows, self._illegal(rows, nests), faults)
        return self._cost(rows.keep(kept), nests[kept], faults), faults

    def _parse(self, rows: Rows, faults: list[Fault]) -> tuple[Rows, LoopNests]:
        try:
            return rows, parse_shorthands(rows.texts, self._accelerator)
        except MappingError:
            reasons = {text: self._malformed(text) for text in set(rows.texts)}
        found = {
            place: ("mapping is malformed", reason)
            for place, text in enumerate(rows.texts)
            if (reason := reasons[text])
        }
        rows = rows.keep(_sieve(rows, found, faults))
        return rows, parse_shorthands(rows.texts, self._accelerator)

    def _malformed(self, text: str) -> str | None:
        try:
            parse_shorthand(text, self._accelerator)
        except MappingError as error:
            return str(error)
        return None

    def _illegal(self, rows: Rows, nests: LoopNests) -> Found:
        violations = find_violations(nests, rows.bounds, self._accelerator)
        return {
            place: (broken[0].rule, f"mapping {rows.texts[place]!r}: {broken[0].reason}")
            for place, broken in violations.items()
        }

    def _cost(self, rows: Rows, nests: LoopNests, faults: list[Fault]) -> Evaluated:
        nest = analyse(nests, rows.strides, self._accelerator)
        overflows = find_overflows(nest, self._accelerator, rows.hardware)
        found = _too_large(rows, overflows)
        if found:
            place = min(found)
            rule, reason = found[place]
            found[place] = (rule, reason + self._remedy(rows, nests, place))
        kept = _sieve(rows, found, faults)
        cost = layer_cost(nest, self._accelerator, rows.hardware)
        cycles, energy = cost.cycles[kept], cost.energy_pj[kept] * 1e-6
        values = {"cycles": cycles, "energy": energy, "edp": cycles * energy}
        rows = rows.keep(kept)
        errors = {
            quantity.name: values[quantity.name] / rows.references[quantity.name] - 1
            for quantity in self._layout.references
        }
        slowest = cost.cycles_by_part[kept].argmax(-1).tolist()
        return Evaluated(rows, values, errors, [self._parts[part] for part in slowest])

    def _remedy(self, rows: Rows, nests: LoopNests, place: int) -> str:
        """Return the nearest mapping that fits, as the end of a sentence."""
        hardware = {n: float(v.expand(len(rows))[place]) for n, v in rows.hardware.items()}
        found = nearest_fitting(nests[place], rows.strides[place], self._accelerator, hardware)
        if found is None:
            return "; no mapping of this layer fits"
        moves = "1 factor moved" if found.moves == 1 else f"{found.moves} factors moved"
        shown = format_shorthand(found.mapping, self._accelerator)
        return f"; the nearest that fits, {moves}: {shown!r}"


def _too_large(rows: Rows, overflows: Mapping[int, list[Overflow]]) -> dict[int, tuple[str, str]]:
    return {
        place: (
            f"{over[0].level} overflows ({over[0].what})",
            f"mapping {rows.texts[place]!r}: {'; '.join(map(str, over))}",
        )
        for place, over in overflows.items()
    }


def _sieve(rows: Rows, found: Found, faults: list[Fault]) -> Tensor:
    """Add a fault for every row in ``found``; return the places of the others."""
    for place, (rule, reason) in found.items():
        faults.append(Fault(int(rows.number[place]), MAPPING, rule, reason))
    return others(len(rows), found)
