"""Mappings of a layer by CoSA's program, one for each way to share its buffers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from tilegrad.accelerator.expression import values
from tilegrad.mapping.space import MapSpace, Slot
from tilegrad.nest.layout import Layout
from tilegrad.search.budget import Budget
from tilegrad.search.cosa.logs import Floats, LayerLogs
from tilegrad.search.cosa.program import Program, Weights, room
from tilegrad.search.tables import LayerTable

TRIES = 12
"""How often a layer is solved, each time with less room where the mapping before did not fit."""

SLIGHTLY = 1e-6
"""How much more than its excess the room of a level shrinks, as a logarithm."""


@dataclass(frozen=True)
class Effort:
    """``nodes`` of branch and bound a program may take, and ``seconds`` (None: as many)."""

    nodes: int
    seconds: float | None


@dataclass(frozen=True)
class CosaMapper:
    """A program for each of ``weights`` and of ``shares``.

    The latter: what of a buffer with several tensors the first one has.
    """

    weights: Sequence[Weights]
    shares: Sequence[float]
    effort: Effort

    def map(
        self, table: LayerTable, sizes: Mapping[str, float], budget: Budget
    ) -> tuple[Tensor, float]:
        """Return factors ``[row, slot]`` that fit hardware of these sizes, and the largest gap.

        A row for each program, none where no mapping was found within the effort. Time may run
        out.
        """
        logs = LayerLogs(_perfect(table.space), table.problem)
        rows, worst = [], 0.0
        for weights, share in product(self.weights, self.shares):
            program = Program(logs, weights)
            factors, gap = self._fitting(program, table, sizes, share, budget)
            worst = max(worst, gap)
            if factors is not None:
                rows.append(factors)
        empty = torch.empty(0, len(table.space.slots), dtype=torch.float64)
        return (torch.stack(rows) if rows else empty), worst

    def _fitting(
        self,
        program: Program,
        table: LayerTable,
        sizes: Mapping[str, float],
        share: float,
        budget: Budget,
    ) -> tuple[Tensor | None, float]:
        """Return the first solution that fits, and its gap; with ever less room where one doesn't.

        The program's tiles are those of sliding windows beside the whole axis, and it counts in
        logarithms: what it finds may need a little more than there is.
        """
        given = room(program.logs, sizes, share)
        for _ in range(TRIES):
            budget.check()
            found, gap = program.solve(given, self.effort.nodes, self.effort.seconds)
            if not len(found):
                return None, gap
            factors = _factors(program.logs, found)
            excesses = _excesses(table, factors, sizes)
            if not excesses:
                return factors, gap
            for level, excess in excesses.items():
                given = given.less(level, excess + SLIGHTLY)
        return None, gap


def _perfect(space: MapSpace) -> MapSpace:
    """Return the mapspace without padding, which has the same places."""
    return MapSpace(space.accelerator)


def _factors(logs: LayerLogs, found: Floats) -> Tensor:
    """Return the factors ``[slot]`` of a solution."""
    factors: dict[Slot, float] = dict.fromkeys(logs.space.slots, 1.0)
    for count, value in zip(logs.counts, found, strict=False):
        if count.slot in factors:
            factors[count.slot] *= float(count.prime ** round(value))
    return torch.tensor(list(factors.values()), dtype=torch.float64)


def _excesses(table: LayerTable, factors: Tensor, sizes: Mapping[str, float]) -> dict[int, float]:
    """Return the logarithm of what a mapping needs above what there is, by level; {} if it fits."""
    nests = table.nests(factors.unsqueeze(0), torch.zeros(1, dtype=torch.int64))
    accelerator = table.space.accelerator
    layout = Layout(nests, table.strides, accelerator)
    found: dict[int, float] = {}
    for each in accelerator.requirements:
        need = float(each.need(layout).reshape(-1)[0])
        have = float(torch.as_tensor(values(each.have, sizes)))
        if need > have:
            found[each.level] = float(torch.tensor(need / have).log())
    return found
