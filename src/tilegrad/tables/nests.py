"""The loop nests of a chunk's rows; malformed and illegal ones are refused with the reason."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.errors import MappingError
from tilegrad.mapping import Mapping as LoopNests
from tilegrad.mapping.shorthand import parse_shorthand, parse_shorthands
from tilegrad.mapping.validity import find_violations
from tilegrad.tables.faults import Fault
from tilegrad.tables.layout import MAPPING
from tilegrad.tables.rows import Rows, others

Found = Mapping[int, tuple[str, str]]
"""Broken rule and reason, by place among the rows."""


def read_nests(rows: Rows, accelerator: Accelerator, faults: list[Fault]) -> tuple[Rows, LoopNests]:
    """Return the rows whose mapping is a legal nest of their problem, and the nests ``[row]``.

    Each of the other rows adds one to ``faults``.
    """
    rows, nests = _parse(rows, accelerator, faults)
    kept = sieve(rows, _illegal(rows, nests, accelerator), faults)
    return rows.keep(kept), nests[kept]


def sieve(rows: Rows, found: Found, faults: list[Fault]) -> Tensor:
    """Add a fault for every row in ``found``; return the places of the others."""
    for place, (rule, reason) in found.items():
        faults.append(Fault(int(rows.number[place]), MAPPING, rule, reason))
    return others(len(rows), found)


def _parse(rows: Rows, accelerator: Accelerator, faults: list[Fault]) -> tuple[Rows, LoopNests]:
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


def _illegal(rows: Rows, nests: LoopNests, accelerator: Accelerator) -> Found:
    violations = find_violations(nests, rows.bounds, accelerator)
    return {
        place: (broken[0].rule, f"mapping {rows.texts[place]!r}: {broken[0].reason}")
        for place, broken in violations.items()
    }
