"""What measured programs of another machine say of programs like them, beyond all costs.

A Gaussian process on the log of the error that an adapted pipeline leaves: what is the same for a
layer is told from what is the same for programs alike, and only the latter is expected of others.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

ALIKE = 0.1
"""Deviation, in log, of what programs alike have in common."""
OF_LAYER = 0.1
"""Of what programs of one layer have in common."""
OWN = 0.06
"""Of what one program alone has."""
REACH = 3.0
"""How far likeness reaches, in deviations of the measured programs' properties."""

PER_TILE = (
    "executed_rows",
    "computes",
    "input_beats",
    "weight_beats",
    "store_requests",
    "zero_rows",
)
RATIOS = (
    ("executed_rows", "computes"),
    ("computes", "preloads"),
    ("input_beats", "input_moves"),
    ("weight_beats", "weight_moves"),
    ("input_beats", "input_requests"),
)
_LEAST_LOG = -3.0
"""Of counts of a tile: nothing at all is not much less than little."""
_SHARES = (-6.0, 0.5)
_KINDS = 2.0
"""How far convolutions are from products, before all is scaled."""
_LEAST_DEVIATION = 0.3
"""Of a property that hardly varies among what was measured."""


class Likeness(nn.Module):
    """Errors in log of programs, by those of ``rows`` measured ones with ``columns`` properties."""

    seen: Tensor
    centre: Tensor
    scale: Tensor
    weight: Tensor

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(rows, columns))
        self.register_buffer("centre", torch.zeros(columns))
        self.register_buffer("scale", torch.ones(columns))
        self.register_buffer("weight", torch.zeros(rows))

    def learn(self, properties: Tensor, layer: Tensor, errors: Tensor) -> None:
        """Learn from measured rows: ``properties [row, column]``, ``layer``, ``errors [row]``."""
        self.centre.copy_(properties.mean(0))
        deviation = properties.std(0, unbiased=False)
        self.scale.copy_(deviation.clamp(min=_LEAST_DEVIATION))
        self.seen.copy_(self._scaled(properties))
        exact = self.seen.double()
        together = (layer.unsqueeze(-1) == layer).double() * OF_LAYER**2
        own = OWN**2 * torch.eye(len(exact), dtype=exact.dtype, device=exact.device)
        covariance = _alike(exact, exact) + together + own
        self.weight.copy_(torch.linalg.solve(covariance, errors.double()))

    def forward(self, properties: Tensor) -> Tensor:
        """Return the expected errors ``[...]`` of ``properties [..., column]``."""
        return _alike(self._scaled(properties), self.seen) @ self.weight

    def _scaled(self, properties: Tensor) -> Tensor:
        return (properties - self.centre) / self.scale


def properties(column: Callable[[str], Tensor], shares: Tensor) -> Tensor:
    """Return what programs are alike by ``[..., property]``, logs, whatever a memory's size.

    ``column`` returns a feature ``[...]`` by its name, ``shares [..., stage]`` are logs of the
    stages' shares of the whole time.
    """
    tiles = column("count.tiles")
    counts = [(column(f"count.{name}") - tiles).clamp(min=_LEAST_LOG) for name in PER_TILE]
    ratios = [column(f"count.{one}") - column(f"count.{other}") for one, other in RATIOS]
    rest = torch.stack([tiles, _KINDS * column("matmul"), *counts, *ratios], -1)
    return torch.cat([shares.clamp(*_SHARES), rest], -1)


def _alike(one: Tensor, other: Tensor) -> Tensor:
    """Return the covariance ``[..., row]`` of ``one [..., column]`` and ``other [row, column]``."""
    squares = one.square().sum(-1, keepdim=True) + other.square().sum(-1)
    apart = (squares - 2 * one @ other.T).clamp(min=0)
    return ALIKE**2 * (-0.5 * apart / REACH**2).exp()
