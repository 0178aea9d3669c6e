"""A trained predictor on data that it did not see: metrics, and how far the data lie outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, open_dict
from rich.console import Console
from torch import Tensor

from tilegrad.accelerator import accelerator_digest
from tilegrad.checks import flag, known_fields, positive_int
from tilegrad.datamodules import Examples, feature_rows
from tilegrad.errors import ConfigError, DataError
from tilegrad.files import check_writable, write_json
from tilegrad.fingerprint.claim import EVALUATION, check_directory, claimed, run_directory
from tilegrad.fingerprint.code import own_code
from tilegrad.fingerprint.record import Fingerprint
from tilegrad.predictors import Predictor, load_predictor
from tilegrad.predictors.features import feature_set
from tilegrad.pretrained import checkpoint_path
from tilegrad.provenance import provenance
from tilegrad.schedules import Schedules, load_shown
from tilegrad.schedules.digest import schedules_digest
from tilegrad.training.build import source_name
from tilegrad.training.directory import RESULT, write_table
from tilegrad.training.pictures import write_pictures
from tilegrad.training.predictions import ROWS_AT_ONCE, coverage, target_metrics, test_table
from tilegrad.training.settings import check_source

FIELDS = (
    "accelerator", "hardware", "caps", "workload", "data", "ckpt", "name", "dir", "plots",
    "progress", "threads", "optimized_metric",
)  # fmt: skip
"""The fields of ``conf/eval.yaml``."""

PREDICTIONS = "predictions.parquet"


@dataclass(frozen=True)
class Evaluation:
    """A predictor and the data to judge it by; ``targets`` are those that it predicts and they
    measure."""

    config: DictConfig
    model: Predictor
    schedules: Schedules
    rows: Examples
    targets: Sequence[str]
    directory: Path
    fingerprint: Fingerprint

    def finish(self) -> dict[str, Any]:
        """Predict, write the files and return the content of result.json."""
        table, beyond = self._predictions(), self._beyond()
        metrics = target_metrics(table, self.targets)
        outside = beyond.any(1)
        result = {
            "name": self.config.name,
            "ckpt": str(self.config.ckpt),
            "metrics": metrics,
            "intervals": coverage(table, self.targets),
            "rows": len(self.rows),
            "rows_outside_training": int(outside.sum()),
            "columns_outside_training": _counts(self.model, beyond),
            "not_measured": [t for t in self.model.schema.targets if t not in self.targets],
            "findings": [str(finding) for finding in self.schedules.findings],
            **provenance(self.fingerprint),
        }
        table["outside_training"] = outside.numpy()
        with claimed(self.directory, self.fingerprint, self.config):
            write_table(self.directory / PREDICTIONS, table)
            if self.config.plots:
                write_pictures(self.directory, table, str(self.config.name), metrics)
            write_json(self.directory / RESULT, result)
        return result

    def _predictions(self) -> pd.DataFrame:
        return test_table(self.model, self.rows, torch.arange(len(self.rows)), self.targets)

    def _beyond(self) -> Tensor:
        """Return which features lie outside the training's range, ``[row, column]``."""
        chunks = self.rows.features.split(ROWS_AT_ONCE)
        return torch.cat([self.model.beyond_range(chunk) > 0 for chunk in chunks])


def build_evaluation(config: DictConfig) -> Evaluation:
    """Read the checkpoint and the data of ``conf/eval.yaml`` and check both; write nothing.

    Raises ``TilegradError`` subclasses naming the field, its value and what is legal.
    """
    known_fields("", config, FIELDS)
    for name in ("plots", "progress"):
        flag(name, config[name])
    torch.set_num_threads(positive_int("threads", config.threads))
    check_source(config)
    if not config.ckpt:
        raise ConfigError("ckpt is missing; give ckpt=FILE, a model.ckpt of train.py's")
    accelerator = instantiate(config.accelerator)
    model = load_predictor(checkpoint_path(config.ckpt), accelerator)
    with open_dict(config):
        # The rest of the node says how to train.
        config.data = {"source": config.data.source}
        config.name = config.name or f"{model.kind}-{source_name(config)}"
    if config.dir:
        check_writable("dir", Path(str(config.dir)))
    console = Console(stderr=True, quiet=not config.progress)
    schedules = load_shown(instantiate(config.data.source), console)
    for finding in schedules.findings:
        console.print(f"data: {finding}", soft_wrap=True, highlight=False, markup=False)
    targets = _measured(config, model, schedules)
    rows = feature_rows(schedules, feature_set(model.schema.features), targets)
    meanings = {
        "accelerator": accelerator_digest(accelerator),
        "data": schedules_digest(schedules),
        "predictor": own_code(type(model).__module__),
    }
    fingerprint = EVALUATION.fingerprint(config, meanings)
    directory = run_directory(config, lambda: fingerprint.directory("eval", config.name))
    check_directory(directory, fingerprint)
    return Evaluation(config, model, schedules, rows, targets, directory, fingerprint)


def _measured(config: DictConfig, model: Predictor, schedules: Schedules) -> list[str]:
    targets = [target for target in model.schema.targets if target in schedules.targets]
    if not targets:
        raise DataError(
            f"ckpt={config.ckpt} predicts {', '.join(model.schema.targets)}, and the data measure "
            f"{', '.join(schedules.targets)}; choose data that measure what it predicts"
        )
    return targets


def _counts(model: Predictor, beyond: Tensor) -> dict[str, int]:
    """Return in how many rows each column lies outside, those of most rows first."""
    counted = dict(zip(model.schema.columns, beyond.sum(0).tolist(), strict=True))
    return {name: rows for name, rows in Counter(counted).most_common() if rows}
