"""Rows that a search enumerated, for those that follow it in the same process: a front's.

What mappings ask of hardware depends neither on the objective nor on caps on area or latency.
"""

from __future__ import annotations

from typing import Any

from tilegrad.accelerator import accelerator_digest
from tilegrad.search.exact.rows import Rows
from tilegrad.search.problem import SearchProblem

MOST = 500_000
"""Rows that are held: about 75 MB."""

Key = tuple[Any, ...]


class HeldRows:
    """Rows by what they are of, those that were put last: ``most`` of them, or the last ones."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._rows: dict[Key, Rows] = {}

    def get(self, key: Key) -> Rows | None:
        """Return the rows of a key; None where none are held."""
        return self._rows.get(key)

    def put(self, key: Key, rows: Rows) -> None:
        """Hold rows, and drop the oldest that are too many."""
        kept = {**self._rows, key: rows}
        while len(kept) > 1 and sum(map(len, kept.values())) > self.most:
            del kept[next(iter(kept))]
        self._rows = kept


HELD = HeldRows(MOST)


def rows_of(problem: SearchProblem) -> Key:
    """Return what a problem's rows depend on beside the range of meshes."""
    return (
        accelerator_digest(problem.accelerator),
        problem.workload.layers,
        tuple(sorted(problem.hardware.fixed.items())),
        problem.caps.pj_per_cycle,
    )
