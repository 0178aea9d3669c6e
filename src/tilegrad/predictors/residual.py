"""The analytical latency times what a network makes of its error, as in DOSA (MICRO'23, 4.7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tilegrad.checks import positive_number
from tilegrad.predictors.base import Predictor
from tilegrad.predictors.mlp import checked_widths, perceptron
from tilegrad.predictors.schema import Schema

_BOUND = ("roofline.arithmetic", "utilisation.arithmetic")
"""The logs of the mapping's steps and of the share of the array that works: their sum is that of
the cycles that the whole array would take."""


class Residual(Predictor):
    """The nest's roofline and a network for the log of measured over analytical cycles.

    The machine may be slower or faster than the roofline, by at most ``limit`` in log, but never
    faster than its whole array can compute.
    """

    kind = "residual"

    def __init__(
        self,
        schema: Schema,
        hidden: Sequence[int] = (128, 64),
        limit: float = 3.0,
        **training: Any,
    ) -> None:
        settings = {
            "hidden": checked_widths(hidden),
            "limit": positive_number("model.limit", limit),
        }
        super().__init__(schema, settings, **training)
        schema.latency_alone(self.kind)
        self._ports = schema.places("roofline")
        self._bound = [schema.columns.index(name) for name in _BOUND]
        self.network = perceptron(len(schema.columns), hidden, 1, "silu")
        # Training starts from the analytical model.
        nn.init.zeros_(self.network[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.network[-1].bias)  # type: ignore[arg-type]

    def standardised(self, features: Tensor) -> Tensor:
        """Return standardised log cycles ``[..., 1]``."""
        analytical = features[..., self._ports].amax(-1, keepdim=True)
        error = self.network(self.scaled(features)).tanh() * self.settings["limit"]
        bound = features[..., self._bound].sum(-1, keepdim=True)
        return (torch.maximum(analytical + error, bound) - self.target_mean) / self.target_scale

    def bottlenecks(self, features: Tensor) -> tuple[tuple[str, ...], Tensor]:
        """Return the ports' names and the place of the busiest, ``[...]``."""
        names = tuple(self.schema.columns[place].partition(".")[2] for place in self._ports)
        return names, features[..., self._ports].argmax(-1)
