"""The base of all predictors: one batch schema, one checkpoint format, one set of metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningModule
from torch import Tensor

import tilegrad
from tilegrad.errors import ConfigError
from tilegrad.predictors.losses import Loss
from tilegrad.predictors.schema import Schema

Batch = dict[str, Tensor]
"""``features [row, column]``, ``log_targets [row, target]`` and ``layer [row]``."""

OptimizerFactory = Callable[[Iterable[Any]], torch.optim.Optimizer]
SchedulerFactory = Callable[..., torch.optim.lr_scheduler.LRScheduler]

FORMAT = 2
"""Of the checkpoints; a reader refuses another."""

CHECKPOINT_KEY = "tilegrad"


class Predictor(LightningModule):
    """Predicts the natural logs of the targets from features.

    ``settings`` rebuild the network: plain values only, as a checkpoint holds them. Features and
    targets are standardised by what the training rows have; ``lowest`` and ``highest [column]``
    are the features' range there.
    """

    kind: ClassVar[str]
    differentiable: ClassVar[bool] = True
    reads: ClassVar[str] = "analytical"
    """The feature set that suits it best."""

    feature_mean: Tensor
    feature_scale: Tensor
    lowest: Tensor
    highest: Tensor
    target_mean: Tensor
    target_scale: Tensor
    learnt: Tensor

    def __init__(
        self,
        schema: Schema,
        settings: dict[str, Any],
        loss: Loss | None = None,
        optimizer: OptimizerFactory | None = None,
        scheduler: SchedulerFactory | None = None,
    ) -> None:
        super().__init__()
        self.schema = schema
        self.settings = settings
        self.loss = loss or Loss()
        self._optimizer = optimizer
        self._scheduler = scheduler
        columns, targets = len(schema.columns), len(schema.targets)
        for name in ("feature_mean", "lowest", "highest"):
            self.register_buffer(name, torch.zeros(columns))
        self.register_buffer("feature_scale", torch.ones(columns))
        self.register_buffer("learnt", torch.tensor(False))
        self.register_buffer("target_mean", torch.zeros(targets))
        self.register_buffer("target_scale", torch.ones(targets))

    def forward(self, features: Tensor) -> Tensor:
        """Return log targets ``[..., target]`` of ``features [..., column]``.

        Latency in cycles, energy in uJ, EDP in uJ*cycles.
        """
        return self.standardised(features) * self.target_scale + self.target_mean

    def standardised(self, features: Tensor) -> Tensor:
        """Return standardised log targets ``[..., target]``."""
        raise NotImplementedError

    def scaled(self, features: Tensor) -> Tensor:
        """Return the features with mean 0 and deviation 1 over the training rows."""
        return (features - self.feature_mean) / self.feature_scale

    def learn_scales(self, features: Tensor, log_targets: Tensor) -> None:
        """Take means, deviations and ranges from training rows ``[row, ...]``."""
        self.feature_mean.copy_(features.mean(0))
        self.feature_scale.copy_(_deviation(features))
        self.lowest.copy_(features.amin(0))
        self.highest.copy_(features.amax(0))
        self.target_mean.copy_(log_targets.mean(0))
        self.target_scale.copy_(_deviation(log_targets))

    def beyond_range(self, features: Tensor) -> Tensor:
        """Return how far, in log, each feature lies outside the training range, ``[..., column]``.

        0 inside; ranges are widened by a thousandth for rounding.
        """
        slack = 1e-3
        below = (self.lowest - slack - features).clamp(min=0)
        return below + (features - self.highest - slack).clamp(min=0)

    def on_fit_start(self) -> None:
        """Learn the scales, once: weights that were trained before belong to their own.

        The range is then that of both trainings.
        """
        features, log_targets = self.training_rows()
        if not self.learnt:
            self.learn_scales(features, log_targets)
            self.learnt.fill_(True)
        self.lowest.copy_(torch.minimum(self.lowest, features.amin(0)))
        self.highest.copy_(torch.maximum(self.highest, features.amax(0)))

    def training_rows(self) -> tuple[Tensor, Tensor]:
        """Return all features and log targets to train on, where the model is."""
        rows = self.trainer.datamodule.training_rows()  # type: ignore[attr-defined]
        return rows["features"].to(self.device), rows["log_targets"].to(self.device)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor | None:  # noqa: ARG002
        """Return the loss."""
        loss = self._loss(batch)
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=_rows(batch))
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Log the loss and the mean error in log."""
        rows = _rows(batch)
        predicted = self(batch["features"])
        error = (predicted - batch["log_targets"]).abs().mean()
        self.log("val/loss", self._loss(batch), batch_size=rows)
        self.log("val/log_error", error, prog_bar=True, batch_size=rows)

    def on_train_epoch_end(self) -> None:
        """Refuse to go on, and to be kept, after an epoch whose loss is not finite."""
        self._check_finite("train/loss")

    def on_validation_epoch_end(self) -> None:
        """Refuse to go on, and to be kept, with a loss that is not finite."""
        self._check_finite("val/loss")

    def _check_finite(self, name: str) -> None:
        """Raise ``ConfigError`` where a logged loss is not finite."""
        loss = self.trainer.callback_metrics.get(name)
        if loss is not None and not loss.isfinite():
            raise ConfigError(
                f"the training diverged: {name} is {float(loss)} in epoch "
                f"{self.trainer.current_epoch + 1}; lower model.optimizer.lr or set "
                "trainer.gradient_clip_val"
            )

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Return the log targets ``[row, target]``."""
        return self(batch["features"])

    def _loss(self, batch: Batch) -> Tensor:
        target = (batch["log_targets"] - self.target_mean) / self.target_scale
        return self.loss(self.standardised(batch["features"]), target, batch["layer"])

    def configure_optimizers(self) -> Any:
        """Return the optimizer, and the scheduler stepped every batch."""
        return self.descent(max(1, int(self.trainer.estimated_stepping_batches)))

    def descent(self, steps: int) -> Any:
        """Return optimizer and scheduler of a training of ``steps`` batches, as Lightning's.

        Raises ``ConfigError`` where their settings are illegal.
        """
        if self._optimizer is None:
            raise ConfigError(
                f"model.optimizer is null; legal: an optimizer, as model {self.kind} is trained "
                "by descent"
            )
        with _naming("model.optimizer", self._optimizer):
            optimizer = self._optimizer(self.descended())
        if self._scheduler is None:
            return optimizer
        with _naming("model.scheduler", self._scheduler):
            scheduler = self._scheduler(optimizer, total_steps=steps)
        _check_rates(optimizer)
        return [optimizer], [{"scheduler": scheduler, "interval": "step"}]

    def descended(self) -> Iterable[Any]:
        """Return the parameters to train, or groups of them with settings of their own."""
        return self.parameters()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leave out how long the schedule was: a training that goes on may be longer."""
        for state in checkpoint.get("lr_schedulers", ()):
            for name in ("total_steps", "_schedule_phases"):
                state.pop(name, None)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what it takes to rebuild the predictor without its config."""
        checkpoint[CHECKPOINT_KEY] = {
            "format": FORMAT,
            "version": tilegrad.__version__,
            "kind": checkpoint_kind(type(self)),
            "settings": self.settings,
            "schema": self.schema.plain(),
        }

    def calibrate(self, rows: Batch) -> None:
        """Learn from the training rows, after the fit, how far predictions may be off."""

    def least(self, features: Tensor) -> Tensor | None:  # noqa: ARG002
        """Return log targets ``[...]`` that no sizes of memories go below; None: not known.

        Of ``features [..., column]`` on any sizes of them.
        """
        return None

    def half_width(self, features: Tensor, level: float) -> Tensor | None:  # noqa: ARG002
        """Return how far, in log, an interval of ``level`` reaches to either side.

        ``[..., target]``; None for a predictor without intervals. ``ConfigError``: no such level.
        """
        return None

    def reaching_level(self, features: Tensor, errors: Tensor) -> Tensor | None:  # noqa: ARG002
        """Return the level of the smallest interval that reaches each error, ``[..., target]``.

        ``errors [..., target]`` are differences of logs; None for a predictor without intervals.
        """
        return None

    def bottlenecks(self, features: Tensor) -> tuple[tuple[str, ...], Tensor] | None:  # noqa: ARG002
        """Return names, and the place among them of what limits each row ``[...]``, if it knows."""
        return None

    def importances(self) -> dict[str, dict[str, float]]:
        """Return what the model itself says of its columns, by the name of the measure."""
        return {}


def checkpoint_kind(predictor: type[Predictor]) -> str:
    """Return what checkpoints call a class: a packaged one its kind, others ``module:Class``."""
    if predictor.__module__.partition(".")[0] == tilegrad.__name__:
        return predictor.kind
    return f"{predictor.__module__}:{predictor.__qualname__}"


def _deviation(rows: Tensor) -> Tensor:
    """Return the deviation of each column; 1 where it never varies."""
    deviation = rows.double().std(0, unbiased=False)
    return torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation)).to(rows.dtype)


@contextmanager
def _naming(field: str, factory: Callable[..., object]) -> Iterator[None]:
    """Name the field, and its settings, that a constructor of torch's refuses."""
    try:
        yield
    except (ValueError, TypeError) as error:
        given = getattr(factory, "keywords", {})
        settings = ", ".join(f"{name}={value!r}" for name, value in given.items())
        raise ConfigError(f"{field} with {settings or 'its defaults'}: {error}") from error


def _check_rates(optimizer: torch.optim.Optimizer) -> None:
    """Refuse rates below zero, which a scheduler of torch's takes as they are."""
    for group in optimizer.param_groups:
        for name in ("lr", "max_lr"):
            if group.get(name, 0) < 0:
                raise ConfigError(
                    f"model.scheduler gives a learning rate {name} of {float(group[name]):g}; "
                    "legal: a number from 0"
                )


def _rows(batch: Batch) -> int:
    return len(batch["features"])
