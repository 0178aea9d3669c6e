"""Rows that a search enumerated, for those that follow it in the same process: a front's.

What mappings ask of hardware depends neither on the objective nor on caps on area or latency.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

from tilegrad.accelerator import accelerator_digest
from tilegrad.search.exact.meshes import Meshes
from tilegrad.search.exact.rows import Rows

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


def enumerated(
    every: Sequence[Meshes],
    layer: Callable[[Sequence[Meshes], int], list[Rows]],
    threads: Executor,
) -> list[Rows]:
    """Return the rows of ranges of meshes whose widest is the same: held ones, or new ones.

    ``layer`` returns those of one layer for some ranges; ``threads`` share the layers.
    """
    keys = [_key(meshes) for meshes in every]
    known = [HELD.get(key) for key in keys]
    new = [meshes for meshes, rows in zip(every, known, strict=True) if rows is None]
    if new:
        layers = range(len(every[0].problem.workload))
        found = threads.map(lambda at: layer(new, at), layers)
        joined = iter([Rows.join(rows) for rows in zip(*found, strict=True)])
        known = [next(joined) if rows is None else rows for rows in known]
    rows = [each for each in known if each is not None]
    for key, each in zip(keys, rows, strict=True):
        HELD.put(key, each)
    return rows


def _key(meshes: Meshes) -> Key:
    """Return all that rows depend on."""
    problem = meshes.problem
    corners = tuple(tuple(sorted(corner.items())) for corner in meshes.corners)
    return (
        accelerator_digest(problem.accelerator),
        problem.workload.layers,
        problem.caps.pj_per_cycle,
        corners,
    )
