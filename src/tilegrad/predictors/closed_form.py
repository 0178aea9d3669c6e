"""Predictors that are fitted at once instead of by descent, behind the same Lightning hooks."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from tilegrad.predictors.base import Batch, Predictor


class ClosedForm(Predictor):
    """Fits all training rows when training starts; the trainer then has nothing left to do."""

    def __init__(self, *arguments: Any, **training: Any) -> None:
        super().__init__(*arguments, **training)
        self.automatic_optimization = False

    def fit_rows(self, features: Tensor, log_targets: Tensor) -> None:
        """Fit ``features [row, column]`` to standardised ``log_targets [row, target]``."""
        raise NotImplementedError

    def on_train_start(self) -> None:
        """Fit, and end the training after this epoch, which does nothing."""
        features, log_targets = self.training_rows()
        self.fit_rows(features, (log_targets - self.target_mean) / self.target_scale)
        self.trainer.fit_loop.max_epochs = 1

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Do nothing: ``on_train_start`` has fitted all rows."""

    def descent(self, steps: int) -> None:
        """Return no optimizer."""
