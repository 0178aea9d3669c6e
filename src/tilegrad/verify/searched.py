"""Cells recomputed: all mappings of all layers enumerated anew for each range of meshes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf
from random import Random

from tilegrad.verify.bounds import check_empty, check_lines
from tilegrad.verify.certificate import Cell
from tilegrad.verify.cover import check_sizes, mesh_ends
from tilegrad.verify.goal import Goal
from tilegrad.verify.rows import Ends, LayerRows, Machine, corners_of
from tilegrad.workload import Problem

WALKED, PRICED = 60_000, 10_000_000
"""Mappings a second of one core that are walked, and priced on a cell."""

Group = tuple[tuple[str, tuple[float, float]], ...]
"""A range of meshes."""

Observer = Callable[[float, float, str], None]
"""Told the seconds of work that are done, of how many, and what is recomputed."""


def unobserved(done: float, total: float, what: str) -> None:
    """Tell nobody."""


def spoken(seconds: float) -> str:
    """Return a time in words."""
    if seconds < 100:
        return f"about {max(1, round(seconds))} s"
    return f"about {round(seconds / 60)} min" if seconds < 6000 else f"about {seconds / 3600:.1f} h"


@dataclass(frozen=True)
class Plan:
    """The cells to recompute, by place; about how many seconds they take, and all would."""

    picked: list[int]
    seconds: float
    all_seconds: float


@dataclass(frozen=True)
class Searched:
    """What was searched: cells are recomputed from it."""

    machine: Machine
    layers: Sequence[Problem]
    networks: Sequence[range]
    goal: Goal
    caps: Mapping[str, float | None]

    def plan(
        self,
        every: Sequence[Cell],
        meshes: Sequence[str],
        sample: int | None,
        seed: int,
        most: float,
    ) -> Plan:
        """Draw cells to recompute: a ``sample``, or as many as ``most`` seconds are enough for."""
        count = len(every) if sample is None else min(sample, len(every))
        picked = sorted(Random(seed).sample(range(len(every)), count))
        groups = [_group(cell, meshes) for cell in every]
        rows = cache(lambda group: sum(each.count for each in self._rows(group)))

        def seconds(places: Sequence[int]) -> float:
            there = [groups[place] for place in places]
            priced = sum(rows(group) / PRICED for group in there)
            return priced + sum(rows(group) / WALKED for group in dict.fromkeys(there))

        whole = seconds(range(len(every)))
        drawn = Random(seed).sample(picked, len(picked))
        while sample is None and len(drawn) > 1 and seconds(drawn) > most:
            drawn = drawn[: max(1, len(drawn) * 3 // 4)]
        return Plan(sorted(drawn), seconds(drawn), whole)

    def recompute(
        self, every: Sequence[Cell], meshes: Sequence[str], plan: Plan, observe: Observer
    ) -> None:
        """Recompute cells, those of one range of meshes together."""
        done, what = 0.0, f"{len(plan.picked)} of {len(every)} cells"
        for group, places in _groups(every, meshes, plan.picked):
            rows = self._rows(group)
            for layer in rows:
                observe(done, plan.seconds, what)
                done += layer.count / WALKED
                layer.table  # noqa: B018
            there = [cell for cell in every if _group(cell, meshes) == group]
            check_sizes(there, self.machine, self.caps, rows)
            for place in places:
                observe(done, plan.seconds, what)
                done += sum(layer.count for layer in rows) / PRICED
                self._check(every[place], place, rows)
        observe(plan.seconds, plan.seconds, what)

    def _rows(self, group: Group) -> list[LayerRows]:
        corners = corners_of(self.machine.fixed, dict(group))
        slow = len(corners) == 1 and self.goal.pj_per_cycle < inf
        return [LayerRows(self.machine, layer, corners, slow) for layer in self.layers]

    def _check(self, cell: Cell, place: int, rows: Sequence[LayerRows]) -> None:
        if cell.bound is None:
            check_empty(cell, place, rows, self.machine, self.caps, self.goal, self.networks)
        else:
            check_lines(cell, place, rows, self.machine, self.goal, self.networks)


def _group(cell: Cell, meshes: Sequence[str]) -> Group:
    ends: Ends = mesh_ends(cell, meshes)
    return tuple(ends.items())


def _groups(
    every: Sequence[Cell], meshes: Sequence[str], picked: Sequence[int]
) -> Iterator[tuple[Group, list[int]]]:
    for group in dict.fromkeys(_group(every[place], meshes) for place in picked):
        yield group, [place for place in picked if _group(every[place], meshes) == group]
