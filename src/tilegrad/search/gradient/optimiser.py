"""Projected gradient descent with momentum: a closure and bounds in, a result with a status out.

It knows nothing of mappings. Values are ``[start, ...]``; no start depends on another.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor

from tilegrad.search.budget import Budget, OutOfTimeError

Loss = Callable[[Tensor, float], Tensor]
"""Losses ``[start]``, differentiable, of some starts' values, at a share of the planned steps."""

Bounds = Callable[[Tensor], Tensor]
"""The nearest values within the bounds, ``[start, ...]`` to ``[start, ...]``."""


class Status(Enum):
    """Why a descent returned."""

    DONE = "all planned steps are taken"
    PAUSED = "the steps asked for are taken, and others are left"
    OUT_OF_TIME = "the budget ended; the point is that of the last whole step"


@dataclass(frozen=True)
class Point:
    """Where the starts are: ``values``, ``velocity [start, ...]`` and the steps taken."""

    values: Tensor
    velocity: Tensor
    step: int = 0

    def to(self, device: torch.device) -> Point:
        """Return the same point on a device."""
        return Point(self.values.to(device), self.velocity.to(device), self.step)


@dataclass(frozen=True)
class Descended:
    """The point that a descent came to, and why it returned."""

    point: Point
    status: Status


@dataclass(frozen=True)
class Stop:
    """When to return before all planned steps are taken: after ``steps`` more, or out of time."""

    steps: int
    budget: Budget


@dataclass(frozen=True)
class Groups:
    """How starts are computed: ``size`` of them together, the groups shared by ``threads``."""

    size: int
    threads: Executor


@dataclass(frozen=True)
class Momentum:
    """Gradient descent with momentum, step size falling to zero over the planned ``steps``.

    Plain momentum beats sign-like normalisation (Adam) here: most factors of most layers hardly
    matter, and steps of equal size in them undo the progress of those that do.
    """

    steps: int
    learning_rate: float
    momentum: float

    def minimise(
        self, loss: Loss, bounds: Bounds, point: Point, stop: Stop, groups: Groups
    ) -> Descended:
        """Take steps from ``point`` until ``stop`` says so or none are left.

        A gradient that is not a number or infinite is 0: that value stays where it is.
        """
        for _ in range(min(stop.steps, self.steps - point.step)):
            try:
                point = self._step(loss, bounds, point, stop.budget, groups)
            except OutOfTimeError:
                return Descended(point, Status.OUT_OF_TIME)
        return Descended(point, Status.PAUSED if point.step < self.steps else Status.DONE)

    def _step(
        self, loss: Loss, bounds: Bounds, point: Point, budget: Budget, groups: Groups
    ) -> Point:
        share = point.step / self.steps

        def gradient(values: Tensor) -> Tensor:
            budget.check()
            values = values.detach().requires_grad_(True)
            (found,) = torch.autograd.grad(loss(values, share).sum(), values)
            return found.nan_to_num(0.0, 0.0, 0.0)

        parts = groups.threads.map(gradient, point.values.split(groups.size))
        velocity = self.momentum * point.velocity + torch.cat(list(parts))
        rate = self.learning_rate * (1 - share)
        return Point(bounds(point.values - rate * velocity), velocity, point.step + 1)
