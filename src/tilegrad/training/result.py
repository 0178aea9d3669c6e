"""What a training run ends with: metrics over the folds, one record, tables and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tilegrad.predictors import METRICS
from tilegrad.training.directory import fold_place
from tilegrad.training.predictions import target_metrics

FOLD_COLUMNS = ("fold", "train_rows", "held_out_rows", "test_rows", "fit_seconds")


def all_predictions(directory: Path, folds: int) -> pd.DataFrame:
    """Return the predictions of all folds, with the fold's number."""
    tables = [
        pd.read_parquet(fold_place(directory, number).predictions).assign(fold=number)
        for number in range(folds)
    ]
    return pd.concat(tables, ignore_index=True)


def overall_metrics(
    predictions: pd.DataFrame, folds: Sequence[Mapping[str, Any]], targets: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """Return the metrics over all test rows.

    Where folds test a row more than once (several trainings of one machine's rows), rows cannot be
    pooled: the mean over the folds stands for them.
    """
    if predictions.row.is_unique:
        return target_metrics(predictions, targets)
    return {
        target: {name: _mean([fold["metrics"][target][name] for fold in folds]) for name in METRICS}
        for target in targets
    }


def fold_table(folds: Sequence[Mapping[str, Any]], target: str) -> pd.DataFrame:
    """Return one line per fold: its name, rows, seconds, the epoch kept and metrics."""
    return pd.DataFrame(
        [
            {
                **{name: fold[name] for name in FOLD_COLUMNS},
                "kept_epoch": fold["kept"]["epoch"],
                **fold["metrics"][target],
            }
            for fold in folds
        ]
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
