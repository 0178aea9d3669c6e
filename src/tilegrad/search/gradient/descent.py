"""The descent of a relaxed problem: what the optimiser minimises, and the best starts so far."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.cost.hardware import Hardware
from tilegrad.search.budget import Budget
from tilegrad.search.gradient.optimiser import Descended, Groups, Momentum, Point, Stop
from tilegrad.search.gradient.relaxed import RelaxedProblem

SHARPNESS = (10.0, 1000.0)
"""How sharply loop orders are chosen, at the beginning and at the end."""

GROUP_ROWS = 7200
"""Layer mappings whose gradients are computed together, whatever the number of threads: enough to
outweigh the cost of starting an operation, few enough to stay in the processor's cache."""

RANKED_ROWS = 100_000
"""Layer mappings that are ranked together."""


@dataclass(frozen=True)
class Descent:
    """All starts of a relaxed problem, with the optimiser that moves them."""

    problem: RelaxedProblem
    optimiser: Momentum

    @property
    def rows_per_start(self) -> int:
        """Layer mappings of one start: every layer in every candidate order."""
        return self.problem.repeated.numel()

    @property
    def on_cpu(self) -> bool:
        """Whether it is the processor that descends."""
        return self.problem.device.type == "cpu"

    def begin(self, starts: int, random: torch.Generator) -> Point:
        """Return random starting points, log factors ``[start, layer, slot]``."""
        logs = self.problem.random(starts, random)
        return Point(logs, torch.zeros_like(logs))

    def loss(self, logs: Tensor, share: float) -> Tensor:
        """Return the log objective ``[start]``, orders chosen more sharply with each step."""
        first, last = SHARPNESS
        loss, _, _ = self.problem.loss(logs, first * (last / first) ** share)
        return loss

    def advance(self, point: Point, stop: Stop, threads: Executor) -> Descended:
        """Take steps with every start until ``stop`` says so; ``threads`` share the starts."""
        size = self._starts(GROUP_ROWS if self.on_cpu else RANKED_ROWS)
        groups = Groups(size, threads)
        return self.optimiser.minimise(self.loss, self.problem.project, point, stop, groups)

    def _starts(self, rows: int) -> int:
        """Return how many starts make about ``rows`` layer mappings."""
        return max(1, rows // self.rows_per_start)

    @torch.no_grad()
    def leaders(self, point: Point, most: int, budget: Budget) -> tuple[Tensor, Hardware, Tensor]:
        """Return the best starts' ``logs``, hardware and orders ``[start, layer]``, best first.

        On the CPU. Of as many groups of starts as there is time for, of the first one at least.
        """
        parts: list[tuple[Tensor, Hardware, Tensor]] = []
        for logs in point.values.split(self._starts(RANKED_ROWS)):
            if parts and budget.over:
                break
            parts.append(self.problem.loss(logs, SHARPNESS[1]))
        losses, sizes, orders = zip(*parts, strict=True)
        best = torch.cat(losses).argsort()[:most]
        hardware = {name: torch.cat([each[name] for each in sizes]) for name in sizes[0]}
        order = torch.cat(orders)
        leading = {name: size[best].cpu() for name, size in hardware.items()}
        return point.values[best].cpu(), leading, order[best].cpu()
