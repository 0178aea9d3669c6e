"""Projected gradient descent of all starts at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.cost.hardware import Hardware
from tilegrad.search.budget import Budget
from tilegrad.search.gradient.relaxed import RelaxedProblem

SHARPNESS = (10.0, 1000.0)
"""How sharply loop orders are chosen, at the beginning and at the end."""

GROUP_ROWS = 7200
"""Layer mappings whose gradients are computed together, whatever the number of threads: enough to
outweigh the cost of starting an operation, few enough to stay in the processor's cache."""

RANKED_ROWS = 100_000
"""Layer mappings that are ranked together."""


@dataclass(frozen=True)
class Point:
    """Where the starts are: ``logs``, ``velocity [start, layer, slot]`` and the steps taken."""

    logs: Tensor
    velocity: Tensor
    step: int

    def to(self, device: torch.device) -> Point:
        """Return the same point on a device."""
        return Point(self.logs.to(device), self.velocity.to(device), self.step)


@dataclass(frozen=True)
class Descent:
    """Gradient descent with momentum on the log objective, step size falling to zero.

    Plain momentum beats sign-like normalisation (Adam) here: most factors of most layers hardly
    matter, and steps of equal size in them undo the progress of those that do.
    """

    problem: RelaxedProblem
    steps: int
    learning_rate: float
    momentum: float

    @property
    def rows_per_start(self) -> int:
        """Layer mappings of one start: every layer in every candidate order."""
        return self.problem.repeated.numel()

    @property
    def on_cpu(self) -> bool:
        """Whether it is the processor that descends."""
        return self.problem.device.type == "cpu"

    def begin(self, starts: int, random: torch.Generator) -> Point:
        """Return random starting points."""
        logs = self.problem.random(starts, random)
        return Point(logs, torch.zeros_like(logs), 0)

    def sharpness(self, step: int) -> float:
        """Return the sharpness of a step, annealed geometrically."""
        first, last = SHARPNESS
        return first * (last / first) ** (step / self.steps)

    def advance(self, point: Point, threads: ThreadPoolExecutor, budget: Budget) -> Point:
        """Take one step with every start, unless time runs out; ``threads`` share the starts."""
        sharpness = self.sharpness(point.step)
        gradients = threads.map(
            lambda logs: self._gradient(logs, sharpness, budget),
            self._groups(point, GROUP_ROWS if self.on_cpu else RANKED_ROWS),
        )
        velocity = self.momentum * point.velocity + torch.cat(list(gradients))
        rate = self.learning_rate * (1 - point.step / self.steps)
        return Point(self.problem.project(point.logs - rate * velocity), velocity, point.step + 1)

    def _groups(self, point: Point, rows: int) -> tuple[Tensor, ...]:
        """Return the starts in groups of about ``rows`` layer mappings."""
        return point.logs.split(max(1, rows // self.rows_per_start))

    def _gradient(self, logs: Tensor, sharpness: float, budget: Budget) -> Tensor:
        budget.check()
        logs = logs.detach().requires_grad_(True)
        loss, _, _ = self.problem.loss(logs, sharpness)
        (gradient,) = torch.autograd.grad(loss.sum(), logs)
        return gradient.nan_to_num(0.0, 0.0, 0.0)

    @torch.no_grad()
    def leaders(self, point: Point, most: int, budget: Budget) -> tuple[Tensor, Hardware, Tensor]:
        """Return the best starts' ``logs``, hardware and orders ``[start, layer]``, best first.

        On the CPU. Of as many groups of starts as there is time for, of the first one at least.
        """
        parts: list[tuple[Tensor, Hardware, Tensor]] = []
        for logs in self._groups(point, RANKED_ROWS):
            if parts and budget.over:
                break
            parts.append(self.problem.loss(logs, SHARPNESS[1]))
        losses, sizes, orders = zip(*parts, strict=True)
        best = torch.cat(losses).argsort()[:most]
        hardware = {name: torch.cat([each[name] for each in sizes]) for name in sizes[0]}
        order = torch.cat(orders)
        leading = {name: size[best].cpu() for name, size in hardware.items()}
        return point.logs[best].cpu(), leading, order[best].cpu()
