"""One training run: a model per fold, tested on what it never saw, then one on all rows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from hydra.utils import instantiate
from lightning import Trainer, seed_everything
from omegaconf import DictConfig, OmegaConf, open_dict

from tilegrad.datamodules import Fold, ScheduleDataModule, everything
from tilegrad.predictors import Predictor, ranking_metrics
from tilegrad.training.directory import MODEL, FoldPlace, finish, finished, fold_place
from tilegrad.training.quiet import quiet_lightning


@dataclass(frozen=True)
class TrainingRun:
    """A checked config, its data and its directory."""

    config: DictConfig
    data: ScheduleDataModule
    directory: Path

    def cross_validate(self) -> Iterator[tuple[Fold, dict[str, Any]]]:
        """Train and test fold after fold; those that are done already are only read."""
        for number, fold in enumerate(self.data.folds):
            place = fold_place(self.directory, number)
            result = finished(place)
            if result is None:
                result = self._fold(number, fold, place)
            yield fold, result

    def refit(self) -> dict[str, Any]:
        """Train on all rows; leave the model as the run's checkpoint."""
        place = fold_place(self.directory, None)
        result = finished(place)
        if result is None:
            fold = everything(len(self.data.rows))
            result, _ = self._train(None, fold, place)
            source = place.best if place.best.exists() else place.last
            if source.exists():
                source.replace(self.directory / MODEL)
            finish(place, result, self.config.keep_folds)
        return result

    def _fold(self, number: int, fold: Fold, place: FoldPlace) -> dict[str, Any]:
        result, model = self._train(number, fold, place)
        predicted = predict(model, self.data, fold)
        table = prediction_table(self.data, fold, predicted)
        table.to_parquet(place.predictions, index=False)
        metrics = target_metrics(table, self.data.schema.targets)
        finish(place, {**result, "metrics": metrics}, self.config.keep_folds)
        return {**result, "metrics": metrics}

    def _train(
        self, number: int | None, fold: Fold, place: FoldPlace
    ) -> tuple[dict[str, Any], Predictor]:
        config = self._config_of(number, place)
        place.path.mkdir(parents=True, exist_ok=True)
        seed_everything(config.seed, workers=True, verbose=False)
        self.data.use(fold)
        model: Predictor = instantiate(config.model)(schema=self.data.schema)
        start = time.perf_counter()
        with quiet_lightning():
            trainer = _trainer(config, place)
            trainer.fit(model, self.data, ckpt_path=_resumed(config, place))
        if trainer.interrupted:
            raise KeyboardInterrupt
        seconds = time.perf_counter() - start
        if place.best.exists():
            model.load_state_dict(torch.load(place.best, weights_only=True)["state_dict"])
        result = {
            "fold": fold.name,
            "train_rows": len(fold.train),
            "test_rows": len(fold.test),
            "epochs": trainer.current_epoch,
            "fit_seconds": round(seconds, 3),
        }
        return result, model.eval()

    def _config_of(self, number: int | None, place: FoldPlace) -> DictConfig:
        """Return the config with the fold's name and place, for loggers and callbacks."""
        config = self.config.copy()
        with open_dict(config):
            config.fold = {"name": place.path.name, "dir": str(place.path), "number": number}
        return config


def _trainer(config: DictConfig, place: FoldPlace) -> Trainer:
    callbacks = [instantiate(node) for node in (config.callbacks or {}).values() if node]
    loggers = [instantiate(node) for node in (config.logger or {}).values() if node]
    return instantiate(
        config.trainer,
        callbacks=callbacks,
        logger=loggers or False,
        default_root_dir=str(place.path),
    )


def _resumed(config: DictConfig, place: FoldPlace) -> str | None:
    """Return the checkpoint to go on with: this fold's last state, else the one that is given."""
    if _readable(place.last):
        return str(place.last)
    return str(config.ckpt_path) if config.ckpt_path else None


def _readable(path: Path) -> bool:
    """Return whether a checkpoint is whole; one that a kill cut off is trained again."""
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception:
        return False
    return True


@contextmanager
def evaluating(model: Predictor) -> Iterator[None]:
    """Hold a model in evaluation mode, without gradients."""
    model.eval()
    with torch.no_grad():
        yield


def predict(model: Predictor, data: ScheduleDataModule, fold: Fold) -> np.ndarray[Any, Any]:
    """Return the log targets ``[row, target]`` of a fold's test rows."""
    data.use(fold)
    with evaluating(model):
        found = [model(batch["features"]) for batch in data.test_dataloader()]
    return torch.cat(found).double().numpy()


def prediction_table(
    data: ScheduleDataModule, fold: Fold, predicted: np.ndarray[Any, Any]
) -> pd.DataFrame:
    """Return the test rows with what was predicted and measured, per target, in its unit's log."""
    rows = data.rows
    columns: dict[str, Any] = {
        "row": fold.test.numpy(),
        "layer": rows.layer[fold.test].numpy(),
        "machine": rows.machine[fold.test].numpy(),
    }
    measured = rows.log_targets[fold.test].double().numpy()
    for place, target in enumerate(data.schema.targets):
        columns[f"predicted.{target}"] = predicted[:, place]
        columns[f"measured.{target}"] = measured[:, place]
    return pd.DataFrame(columns)


def target_metrics(table: pd.DataFrame, targets: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Return the metrics of each target; None where the rows give no figure."""
    groups = {name: table[name].to_numpy(np.int64) for name in ("layer", "machine")}
    found = {}
    for target in targets:
        predicted = table[f"predicted.{target}"].to_numpy(np.float64)
        measured = table[f"measured.{target}"].to_numpy(np.float64)
        metrics = ranking_metrics(predicted, measured, groups)
        found[target] = {n: (v if np.isfinite(v) else None) for n, v in metrics.items()}
    return found


def resolved(config: DictConfig) -> str:
    """Return the config as YAML, interpolations resolved."""
    return OmegaConf.to_yaml(config, resolve=True)
