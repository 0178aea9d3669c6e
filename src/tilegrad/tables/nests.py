"""The loop nests of a chunk's rows; malformed and illegal ones are refused with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.possible import impossible, possible
from tilegrad.errors import MappingError
from tilegrad.mapping import LoopNest
from tilegrad.mapping.shorthand import parse_shorthand, parse_shorthands
from tilegrad.mapping.validity import SPATIAL_PLACE, find_violations
from tilegrad.tables.faults import Fault
from tilegrad.tables.rows import TableRows, others
from tilegrad.tables.table_layout import MAPPING

Found = Mapping[int, tuple[str, str]]
"""Broken rule and reason, by place among the rows."""

Remedy = Callable[[TableRows, LoopNest, int], str]
"""What follows the reason of the row at a place: what to do about it."""


def read_nests(
    rows: TableRows, accelerator: Accelerator, faults: list[Fault], remedy: Remedy | None = None
) -> tuple[TableRows, LoopNest]:
    """Return the rows whose mapping is a legal nest of their problem, and the nests ``[row]``.

    Each of the other rows, and each whose sizes make no accelerator, adds one to ``faults``. The
    first whose spatial loops only lie at the wrong levels gets a ``remedy``.
    """
    rows = _possible(rows, accelerator, faults)
    rows, nests = _parse(rows, accelerator, faults)
    kept = sieve(rows, _illegal(rows, nests, accelerator, remedy), faults)
    return rows.keep(kept), nests[kept]


def sieve(rows: TableRows, found: Found, faults: list[Fault]) -> Tensor:
    """Add a fault for every row in ``found``; return the places of the others."""
    for place, (rule, reason) in found.items():
        faults.append(Fault(int(rows.number[place]), MAPPING, rule, reason))
    return others(len(rows), found)


def _possible(rows: TableRows, accelerator: Accelerator, faults: list[Fault]) -> TableRows:
    allowed = possible(accelerator, rows.hardware).expand(len(rows))
    places = (~allowed).nonzero().flatten().tolist()
    for place in places:
        sizes = {name: float(values[place]) for name, values in rows.hardware.items()}
        number, reason = int(rows.number[place]), str(impossible(accelerator, sizes))
        faults.append(Fault(number, "of the hardware", "sizes make no accelerator", reason))
    return rows.keep(others(len(rows), places))


def _parse(
    rows: TableRows, accelerator: Accelerator, faults: list[Fault]
) -> tuple[TableRows, LoopNest]:
    try:
        return rows, parse_shorthands(rows.texts, accelerator)
    except MappingError:
        reasons = {text: _malformed(text, accelerator) for text in set(rows.texts)}
    found = {
        place: ("mapping is malformed", reason)
        for place, text in enumerate(rows.texts)
        if (reason := reasons[text])
    }
    rows = rows.keep(sieve(rows, found, faults))
    return rows, parse_shorthands(rows.texts, accelerator)


def _malformed(text: str, accelerator: Accelerator) -> str | None:
    try:
        parse_shorthand(text, accelerator)
    except MappingError as error:
        return str(error)
    return None


def _illegal(
    rows: TableRows, nests: LoopNest, accelerator: Accelerator, remedy: Remedy | None
) -> Found:
    violations = find_violations(nests, rows.bounds, accelerator)
    reasons = {place: "; ".join(b.reason for b in broken) for place, broken in violations.items()}
    found = {
        place: (broken[0].rule, f"mapping {rows.texts[place]!r}: {reasons[place]}")
        for place, broken in violations.items()
    }
    movable = [
        place
        for place, broken in violations.items()
        if all(violation.rule == SPATIAL_PLACE for violation in broken)
    ]
    if remedy and movable:
        rule, reason = found[min(movable)]
        found[min(movable)] = (rule, reason + remedy(rows, nests, min(movable)))
    return found
