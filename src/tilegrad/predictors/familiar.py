"""How far programs are from those that a predictor was trained on: its errors grow with that.

Layers left out of a training are mostly much like others that stay; a network left out is not.
What the trained rows say of distance alone is little. Of the published measurements, intervals of
90 % hold for 83 % of the rows of networks left out where distance does not count, for 88 to 89 %
where errors are in proportion to it, and for 89 % of rows of layers left out either way.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

LEAST = 0.85
"""The factor of programs of trained layers, whose errors are as much smaller than new ones': on the
published measurements 6.9 % instead of 8.1 %."""
NEAR = 0.3
"""Distance, in deviations, below which programs are as good as alike."""
_LEAST_DEVIATION = 0.3
"""Of a property that hardly varies among what was trained on."""
_ROWS_AT_ONCE = 4096


class Familiar(nn.Module):
    """Distances to the nearest of ``rows`` programs with ``columns`` properties, as factors.

    Euclidean ones, in deviations of the properties; 1 where a program is as far away as is usual
    for those of layers that were left out, and at least ``LEAST``, as near ones err too.
    """

    seen: Tensor
    centre: Tensor
    scale: Tensor
    usual: Tensor

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(rows, columns))
        self.register_buffer("centre", torch.zeros(columns))
        self.register_buffer("scale", torch.ones(columns))
        self.register_buffer("usual", torch.ones(()))

    def learn(self, properties: Tensor, apart: Tensor) -> Tensor:
        """Learn from trained rows ``[row, column]``, and return their own factors ``[row]``.

        ``apart [row]`` tells rows that are left out together: to them, only others are near.
        """
        self.centre.copy_(properties.mean(0))
        self.scale.copy_(properties.std(0, unbiased=False).clamp(min=_LEAST_DEVIATION))
        self.seen.copy_(self._scaled(properties))
        squares = _squares(self.seen, self.seen)
        near = _length(squares.masked_fill(apart.unsqueeze(-1) == apart, torch.inf).amin(-1))
        self.usual.copy_(near.median())
        return (near / self.usual).clamp(min=LEAST)

    def forward(self, properties: Tensor) -> Tensor:
        """Return the factors ``[...]`` of ``properties [..., column]``."""
        rows = self._scaled(properties).reshape(-1, properties.shape[-1])
        parts = [_squares(part, self.seen).amin(-1) for part in rows.split(_ROWS_AT_ONCE)]
        near = _length(torch.cat(parts)).reshape(properties.shape[:-1])
        return (near / self.usual).clamp(min=LEAST)

    def _scaled(self, properties: Tensor) -> Tensor:
        return (properties - self.centre) / self.scale


def _squares(one: Tensor, other: Tensor) -> Tensor:
    """Return the squared distances ``[row, other]`` of rows ``[row, column]``."""
    squares = one.square().sum(-1, keepdim=True) + other.square().sum(-1)
    return squares - 2 * one @ other.T


def _length(squares: Tensor) -> Tensor:
    return squares.clamp(min=1e-6).sqrt() + NEAR
