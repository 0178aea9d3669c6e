"""Rows that cannot be evaluated: why, which came first, how many of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """Why a row is refused: its number, the column, the broken rule's short name, the reason."""

    row: int
    column: str
    rule: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}, column {self.column}: {self.reason}"


class FaultTally:
    """The faults of a table, one for each refused row, in bounded memory."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.first: dict[str, Fault] = {}

    def add(self, faults: Iterable[Fault]) -> None:
        """Count faults, those of one rule in order of rows; the first of each is remembered."""
        for fault in faults:
            self.counts[fault.rule] += 1
            self.first.setdefault(fault.rule, fault)

    def message(self, where: str, rows: int) -> str:
        """Return the error for the first offender and how many rows are affected."""
        first = min(self.first.values(), key=lambda fault: fault.row)
        kinds = ", ".join(f"{count:,} x {rule}" for rule, count in self.counts.most_common())
        return f"{where}, {first} ({self.counts.total():,} of {rows:,} rows are refused: {kinds})"
