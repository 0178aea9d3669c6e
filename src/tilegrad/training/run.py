"""One training run: a model per fold, tested on what it never saw, then one that tests none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, open_dict
from pytorch_lightning import Trainer, seed_everything
from pytorch_lightning.callbacks import Checkpoint

from tilegrad.datamodules import Fold, ScheduleDataModule, everything
from tilegrad.errors import ConfigError
from tilegrad.files import make_directory, remove_abandoned, with_room
from tilegrad.fingerprint.record import Fingerprint
from tilegrad.predictors import Predictor
from tilegrad.predictors.checkpoint import load_predictor, read_checkpoint, save_predictor
from tilegrad.pretrained import checkpoint_path
from tilegrad.provenance import provenance
from tilegrad.tracking.loggers import begun_loggers
from tilegrad.tracking.quiet import quiet_lightning
from tilegrad.training.directory import (
    MODEL,
    FoldPlace,
    finish,
    finished,
    fold_place,
    write_table,
)
from tilegrad.training.interrupts import plain_interrupts
from tilegrad.training.kept import keep
from tilegrad.training.predictions import ROWS_AT_ONCE, predict, target_metrics, test_table
from tilegrad.training.whole_files import WholeFiles


@dataclass(frozen=True)
class TrainingRun:
    """A checked config, its data, its directory, and what its user should know of it."""

    config: DictConfig
    data: ScheduleDataModule
    directory: Path
    fingerprint: Fingerprint
    remarks: tuple[str, ...] = ()

    def cross_validate(self) -> Iterator[tuple[Fold, dict[str, Any]]]:
        """Train and test fold after fold; those that are done already are only read."""
        for number, fold in enumerate(self.data.folds):
            place = fold_place(self.directory, number)
            result = self._finished(place)
            if result is None:
                result = self._fold(number, fold, place)
            yield fold, result

    def refit(self) -> dict[str, Any]:
        """Train without leaving a test out; leave the model as the run's checkpoint.

        The share ``data.validation`` of the groups is held out all the same, to stop it.
        """
        place = fold_place(self.directory, None)
        result = self._finished(place)
        if result is None:
            fold = everything(len(self.data.rows))
            result, model = self._train(None, fold, place)
            # Another file: a training that is killed here goes on with the same states.
            save_predictor(model, self.directory / MODEL)
            finish(place, result, self.config.keep_folds)
        return result

    def _finished(self, place: FoldPlace) -> dict[str, Any] | None:
        """Return a fold's result where it was finished by this run; refuse another run's."""
        result = finished(place)
        there = (result or {}).get("made_by", {}).get("fingerprint")
        if result is not None and there != self.fingerprint.digest:
            raise ConfigError(
                f"{place.done} is of another run (fingerprint {there} there, "
                f"{self.fingerprint.digest} here); delete it to train the fold anew"
            )
        return result

    def _fold(self, number: int, fold: Fold, place: FoldPlace) -> dict[str, Any]:
        result, model = self._train(number, fold, place)
        rows, targets = self.data.rows, self.data.schema.targets
        table = test_table(model, rows, fold.test, targets)
        write_table(place.predictions, table)
        result["metrics"] = target_metrics(table, targets)
        finish(place, result, self.config.keep_folds)
        return result

    def _train(
        self, number: int | None, fold: Fold, place: FoldPlace
    ) -> tuple[dict[str, Any], Predictor]:
        config = self._config_of(number, place)
        make_directory("dir", place.path)
        remove_abandoned(place.path)
        seed_everything(config.seed, workers=True, verbose=False)
        self.data.use(fold)
        model: Predictor = instantiate(config.model)(schema=self.data.schema)
        if config.ckpt:
            begun = load_predictor(checkpoint_path(config.ckpt), self.data.accelerator)
            model.load_state_dict(begun.state_dict())
        resumed = str(place.last) if _readable(place.last) else None
        start = time.perf_counter()
        with quiet_lightning(), plain_interrupts(), with_room(place.path):
            trainer = _trainer(config, place)
            trainer.fit(model, self.data, ckpt_path=resumed)
        seconds = time.perf_counter() - start
        kept = keep(trainer, model)
        rows = self.data.training_rows()
        with torch.no_grad():
            model.eval().calibrate(rows)
        predict(model, rows["features"][:ROWS_AT_ONCE])
        result: dict[str, Any] = {
            "fold": fold.name,
            "train_rows": len(rows["layer"]),
            "held_out_rows": self.data.held_out,
            "test_rows": len(fold.test),
            "epochs": trainer.current_epoch,
            "kept": kept,
            "steps": trainer.global_step,
            "fit_seconds": round(seconds, 3),
            # The seconds are then those since it went on.
            "resumed": resumed is not None,
            "made_by": provenance(self.fingerprint),
        }
        return result, model

    def _config_of(self, number: int | None, place: FoldPlace) -> DictConfig:
        """Return the config with the fold's name and place, for loggers and callbacks."""
        config = self.config.copy()
        with open_dict(config):
            config.fold = {"name": place.path.name, "dir": str(place.path), "number": number}
        return config


def _trainer(config: DictConfig, place: FoldPlace) -> Trainer:
    callbacks = [instantiate(node) for node in (config.callbacks or {}).values() if node]
    return instantiate(
        config.trainer,
        callbacks=callbacks,
        plugins=[WholeFiles()],
        logger=begun_loggers(config) or False,
        # Lightning would add one of its own, whose files nothing reads.
        enable_checkpointing=any(isinstance(each, Checkpoint) for each in callbacks),
        default_root_dir=str(place.path),
    )


def _readable(path: Path) -> bool:
    """Return whether a checkpoint is there and whole; one that a kill cut off is left aside."""
    try:
        read_checkpoint(path)
    except ConfigError:
        return False
    return True
