"""Linear regression in log space: every coefficient is an elasticity."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tilegrad.checks import positive_number
from tilegrad.predictors.closed_form import ClosedForm
from tilegrad.predictors.schema import Schema


class Linear(ClosedForm):
    """Least squares in closed form, with a ridge of ``ridge`` per row for columns that repeat."""

    kind = "linear"

    weight: Tensor

    def __init__(self, schema: Schema, ridge: float = 1e-6, **training: Any) -> None:
        super().__init__(schema, {"ridge": positive_number("model.ridge", ridge)}, **training)
        self.register_buffer("weight", torch.zeros(len(schema.columns), len(schema.targets)))

    def standardised(self, features: Tensor) -> Tensor:
        """Return standardised log targets ``[..., target]``."""
        return self.scaled(features) @ self.weight

    def fit_rows(self, features: Tensor, log_targets: Tensor) -> None:
        """Solve the normal equations; means are 0 already, so that no intercept is needed."""
        rows = self.scaled(features).double()
        ridge = self.settings["ridge"] * len(rows) * torch.eye(rows.shape[1]).to(rows)
        solved = torch.linalg.solve(rows.T @ rows + ridge, rows.T @ log_targets.double())
        self.weight.copy_(solved)

    def importances(self) -> dict[str, dict[str, float]]:
        """Return the coefficients per target: the change in log target per log of the column."""
        slopes = self.weight * self.target_scale / self.feature_scale.unsqueeze(-1)
        return {
            f"coefficient.{target}": dict(zip(self.schema.columns, column.tolist(), strict=True))
            for target, column in zip(self.schema.targets, slopes.unbind(-1), strict=True)
        }
