"""Predictions of rows beside what was measured, and the metrics of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from tilegrad.datamodules import Rows
from tilegrad.errors import DataError
from tilegrad.predictors import Predictor, ranking_metrics

ROWS_AT_ONCE = 8192


def predict(model: Predictor, rows: Rows, places: Tensor) -> NDArray[np.float64]:
    """Return the log targets ``[place, target]`` of some rows.

    Raises ``DataError`` where one is not finite.
    """
    model.eval()
    with torch.no_grad():
        found = [model(rows.features[chunk]) for chunk in places.split(ROWS_AT_ONCE)]
    logs = torch.cat(found).double()
    bad = int((~logs.isfinite()).any(1).sum())
    if bad:
        raise DataError(
            f"the model's predictions of {bad:,} of {len(logs):,} rows are not finite; if it was "
            "trained by descent, lower model.optimizer.lr or set trainer.gradient_clip_val"
        )
    return logs.numpy()


def prediction_table(
    rows: Rows, places: Tensor, targets: Sequence[str], log_predicted: NDArray[np.float64]
) -> pd.DataFrame:
    """Return some rows with what was predicted and measured of each target, in its unit.

    ``log_predicted [place, target]``; ``row``, ``layer`` and ``machine`` are the numbers that the
    source gave them, from 0.
    """
    columns: dict[str, Any] = {
        "row": places.numpy(),
        "layer": rows.layer[places].numpy(),
        "machine": rows.machine[places].numpy(),
    }
    measured = rows.targets[places].numpy()
    for place, target in enumerate(targets):
        columns[f"predicted.{target}"] = np.exp(log_predicted[:, place])
        columns[f"measured.{target}"] = measured[:, place]
    return pd.DataFrame(columns)


def target_metrics(table: pd.DataFrame, targets: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the metrics of each target; None where the rows give no figure."""
    groups = {name: table[name].to_numpy(np.int64) for name in ("layer", "machine")}
    found = {}
    for target in targets:
        predicted = np.log(table[f"predicted.{target}"].to_numpy(np.float64))
        measured = np.log(table[f"measured.{target}"].to_numpy(np.float64))
        metrics = ranking_metrics(predicted, measured, groups)
        found[target] = {n: (v if np.isfinite(v) else None) for n, v in metrics.items()}
    return found
