"""A learned loop nest: traffic terms whose loops are gated by the reuse that lies inside them.

It reads schedules as they are (features=raw) and is told nothing of tensors, tiles or ports; only
the shape of the law is built in: traffic is a product of loops, a loop adds none where nothing
inside it moved the tile, and latency is the largest of several traffics over rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from tilegrad.checks import positive_int
from tilegrad.predictors.base import Predictor
from tilegrad.predictors.features.raw import LOOP
from tilegrad.predictors.mlp import checked_widths, perceptron
from tilegrad.predictors.schema import Schema
from tilegrad.predictors.soft_maximum import SoftMaximum, join_parts, missing_parts, parts_of


class ReuseTerms(nn.Module):
    """Log traffic terms ``[..., term]`` of a schedule's loops.

    ``term = offset + sum_i factor_i * (always_i + gated_i * (1 - exp(-sum_j moves_j * inside_ij)))
    + others @ slope``, where ``inside_ij`` says that loop j lies inside loop i and iterates.
    """

    def __init__(self, loops: int, others: int, terms: int) -> None:
        super().__init__()
        self.always = nn.Parameter(0.2 + 0.6 * torch.rand(terms, loops))
        self.gated = nn.Parameter(0.5 * torch.rand(terms, loops))
        self.raw_moves = nn.Parameter(torch.randn(terms, loops))
        self.slope = nn.Parameter(torch.zeros(others, terms))
        self.offset = nn.Parameter(torch.full((terms,), -1.0))

    def forward(self, factors: Tensor, inside: Tensor, others: Tensor) -> Tensor:
        """Return terms of log ``factors [..., i]``, ``inside [..., i, j]``, ``others [..., n]``."""
        moved = inside @ softplus(self.raw_moves).T
        gate = -torch.expm1(-moved)
        weight = self.always.T + self.gated.T * gate
        return (factors.unsqueeze(-1) * weight).sum(-2) + others @ self.slope + self.offset


class Reuse(Predictor):
    """Smooth maxima of ``terms`` reuse terms, each corrected by a small perceptron.

    The perceptron sees the same loops and hardware; it is what learns sliding windows.
    """

    kind = "reuse"
    reads: ClassVar[str] = "raw"

    same: Tensor
    deeper: Tensor

    def __init__(
        self,
        schema: Schema,
        terms: int = 16,
        hidden: Sequence[int] = (32, 32),
        **training: Any,
    ) -> None:
        positive_int("model.terms", terms)
        super().__init__(schema, {"terms": terms, "hidden": checked_widths(hidden)}, **training)
        self._loops = schema.places("temporal")
        self._inside = schema.places("inside")
        self._others = [
            index
            for index, name in enumerate(schema.columns)
            if name.split(".")[0] in ("hardware", "stride", "spatial")
        ]
        levels = [schema.columns[place].split(".")[1] for place in self._loops]
        depth = torch.tensor([list(dict.fromkeys(levels)).index(level) for level in levels])
        self.register_buffer("same", depth.unsqueeze(-1) == depth, persistent=False)
        self.register_buffer("deeper", depth.unsqueeze(-1) > depth, persistent=False)
        parts = parts_of(schema.targets)
        loops, others = len(self._loops), len(self._others)
        self.terms = nn.ModuleDict({part: ReuseTerms(loops, others, terms) for part in parts})
        self.maximum = nn.ModuleDict({part: SoftMaximum(2.0) for part in parts})
        self.correction = nn.ModuleDict(
            {part: perceptron(loops + others, hidden, terms, "silu") for part in parts}
        )
        for network in self.correction.values():
            nn.init.zeros_(network[-1].weight)  # type: ignore[index]
            nn.init.zeros_(network[-1].bias)  # type: ignore[index]

    def learn_scales(self, features: Tensor, log_targets: Tensor) -> None:
        """Take the scales, and shift the terms to where the targets are."""
        super().learn_scales(features, log_targets)
        with torch.no_grad():
            for part, shift in missing_parts(self, features, log_targets).items():
                self.terms[part].offset.add_(shift)  # type: ignore[operator]

    def standardised(self, features: Tensor) -> Tensor:
        """Return standardised log targets ``[..., target]``."""
        factors = features[..., self._loops]
        others = self.scaled(features)[..., self._others]
        inside = self._inside_of(features, factors)
        seen = torch.cat([self.scaled(features)[..., self._loops], others], -1)
        parts = {}
        for part, terms in self.terms.items():
            corrected = terms(factors, inside, others) + self.correction[part](seen)
            parts[part] = self.maximum[part](corrected)
        joined = join_parts(parts, self.schema.targets)
        return (joined - self.target_mean) / self.target_scale

    def _inside_of(self, features: Tensor, factors: Tensor) -> Tensor:
        """Return ``[..., i, j]``: whether loop j iterates inside loop i."""
        within = features[..., self._inside]
        after = within.unsqueeze(-1) > within.unsqueeze(-2)
        iterates = (factors / LOOP).clamp(0, 1).unsqueeze(-2)
        return ((self.same & after) | self.deeper) * iterates
