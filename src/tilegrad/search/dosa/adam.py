"""Adam, with a state that a checkpoint holds.

Its steps are those of ``torch.optim.Adam`` to the last digit. That one changes its state in place,
where a unit of work that time cuts off has to leave it as it was, and its first step imports
PyTorch's compiler: a second of a processor.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

BETAS = (0.9, 0.999)
EPSILON = 1e-8


@dataclass(frozen=True)
class Adam:
    """Where a descent stands: ``values``, the running means of gradients and of their squares."""

    values: Tensor
    mean: Tensor
    square: Tensor
    step: int = 0

    @classmethod
    def begin(cls, values: Tensor) -> Adam:
        """Return the state before the first step."""
        return cls(values, torch.zeros_like(values), torch.zeros_like(values))

    def after(self, gradient: Tensor, rate: float) -> Adam:
        """Return the state after one step of size ``rate`` (Kingma and Ba, 2015, algorithm 1)."""
        first, second = BETAS
        step = self.step + 1
        mean = first * self.mean + (1 - first) * gradient
        square = second * self.square + (1 - second) * gradient.square()
        scale = (square / (1 - second**step)).sqrt() + EPSILON
        return Adam(self.values - rate * mean / (1 - first**step) / scale, mean, square, step)

    def at(self, values: Tensor) -> Adam:
        """Return the same state at other values, its means kept: as DOSA goes on after rounding."""
        return Adam(values, self.mean, self.square, self.step)

    def pack(self) -> list[Tensor | int]:
        """Return what ``Adam(*packed)`` makes a state of."""
        return [self.values, self.mean, self.square, self.step]
