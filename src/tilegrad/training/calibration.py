"""A trained predictor and a table of another machine's measurements: its predictor."""

from __future__ import annotations

from pathlib import Path

import torch

from tilegrad.accelerator import Accelerator
from tilegrad.datamodules import feature_rows
from tilegrad.errors import ConfigError
from tilegrad.predictors.adaptation import Adaptation, adapted
from tilegrad.predictors.base import Predictor
from tilegrad.predictors.features import feature_set
from tilegrad.predictors.pipeline import Pipeline
from tilegrad.schedules import TableFile


def adaptable(predictor: Predictor) -> Pipeline:
    """Return the predictor; ``ConfigError`` for another than a pipeline with intervals."""
    if not isinstance(predictor, Pipeline) or not predictor.band.calibrated:
        raise ConfigError(
            f"--ckpt is of model {predictor.kind}; legal: model=pipeline of two or more members, "
            "whose costs are the machine's"
        )
    return predictor


def calibrated(
    predictor: Predictor, table: Path, accelerator: Accelerator
) -> tuple[Adaptation, int, int]:
    """Return the predictor for the machine of a table's measurements, their number, the layers'.

    Raises ``ConfigError`` as ``adaptable`` does, and ``DataError`` where the table cannot be read.
    """
    pipeline = adaptable(predictor)
    schedules = TableFile(str(table), accelerator).load()
    features = feature_set(predictor.schema.features)
    found = feature_rows(schedules, features, predictor.schema.targets)
    rows = found[torch.arange(len(found))]
    return adapted(pipeline, rows), len(found), len(rows["layer"].unique())
