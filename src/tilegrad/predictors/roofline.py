"""A learned roofline: the nest's terms with learned offsets, their smooth maximum, a correction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tilegrad.checks import positive_number
from tilegrad.predictors.base import Predictor
from tilegrad.predictors.mlp import checked_widths, perceptron
from tilegrad.predictors.schema import Schema
from tilegrad.predictors.soft_maximum import SoftMaximum, join_parts, missing_parts, parts_of

TERMS = {"cycles": "roofline", "pj": "traffic"}
"""The group of columns whose terms make a part."""


SHARPNESS = {"cycles": 16.0, "pj": 1.0}
"""Where training starts: cycles are nearly a maximum, energies a sum."""


class Roofline(Predictor):
    """Latency is the smooth maximum of cycles per port, energy the sum of pJ per access.

    Each term is a column plus an offset that may lean on the hardware (a larger memory costs more
    per access). A small perceptron adds at most ``correction`` to the log of each part: it learns
    what the terms leave, and cannot lead far astray where it saw nothing.
    """

    kind = "roofline"

    def __init__(
        self,
        schema: Schema,
        hidden: Sequence[int] = (32, 16),
        correction: float = 0.5,
        **training: Any,
    ) -> None:
        settings = {
            "hidden": checked_widths(hidden),
            "correction": positive_number("model.correction", correction),
        }
        super().__init__(schema, settings, **training)
        parts = parts_of(schema.targets)
        self._terms = {part: schema.places(TERMS[part]) for part in parts}
        self._hardware = [
            i for i, name in enumerate(schema.columns) if name.startswith("hardware.")
        ]
        counts = {part: len(places) for part, places in self._terms.items()}
        self.offset = nn.ParameterDict({p: nn.Parameter(torch.zeros(n)) for p, n in counts.items()})
        self.lean = nn.ParameterDict(
            {p: nn.Parameter(torch.zeros(len(self._hardware), n)) for p, n in counts.items()}
        )
        self.maximum = nn.ModuleDict({part: SoftMaximum(SHARPNESS[part]) for part in parts})
        self.network = perceptron(len(schema.columns), hidden, len(parts), "silu")
        # Training starts from the bare roofline.
        nn.init.zeros_(self.network[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.network[-1].bias)  # type: ignore[arg-type]

    def learn_scales(self, features: Tensor, log_targets: Tensor) -> None:
        """Take the scales, and shift the terms to where the targets are."""
        super().learn_scales(features, log_targets)
        with torch.no_grad():
            for part, shift in missing_parts(self, features, log_targets).items():
                self.offset[part].add_(shift)

    def standardised(self, features: Tensor) -> Tensor:
        """Return standardised log targets ``[..., target]``."""
        correction = self.network(self.scaled(features)).tanh() * self.settings["correction"]
        hardware = self.scaled(features)[..., self._hardware]
        parts = {}
        for column, (part, places) in enumerate(self._terms.items()):
            terms = features[..., places] + self.offset[part] + hardware @ self.lean[part]
            parts[part] = self.maximum[part](terms) + correction[..., column]
        joined = join_parts(parts, self.schema.targets)
        return (joined - self.target_mean) / self.target_scale

    def importances(self) -> dict[str, dict[str, float]]:
        """Return what each term is multiplied by, e to its offset, at mean hardware."""
        return {
            f"factor.{part}": {
                self.schema.columns[place]: float(offset.exp())
                for place, offset in zip(places, self.offset[part], strict=True)
            }
            for part, places in self._terms.items()
        }
