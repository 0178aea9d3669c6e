"""Predictions of rows beside what was measured, and the metrics of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from tilegrad.datamodules import Examples
from tilegrad.errors import DataError
from tilegrad.predictors import Predictor, ranking_metrics

ROWS_AT_ONCE = 8192

LARGEST_LOG = 700.0
"""Beyond it, no float64 holds what it is the log of."""

LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Levels of intervals whose coverage is reported."""
SHOWN_LEVEL = 0.9


def predict(model: Predictor, features: Tensor) -> NDArray[np.float64]:
    """Return the log targets ``[row, target]`` of ``features [row, column]``.

    Raises ``DataError`` where one is not finite, as a log or in its unit.
    """
    model.eval()
    with torch.no_grad():
        found = [model(chunk) for chunk in features.split(ROWS_AT_ONCE)]
    logs = torch.cat(found).double()
    bad = int((~(logs.abs() < LARGEST_LOG)).any(1).sum())
    if bad:
        raise DataError(
            f"the model's predictions of {bad:,} of {len(logs):,} rows are not finite; if it was "
            "trained by descent, lower model.optimizer.lr or set trainer.gradient_clip_val"
        )
    return logs.numpy()


def test_table(
    model: Predictor, rows: Examples, places: Tensor, targets: Sequence[str]
) -> pd.DataFrame:
    """Return what a model makes of some rows beside what was measured.

    Beside ``prediction_table``'s columns, of each target: ``level.*``, that of the smallest
    interval that reaches the measurement, and ``factor.*``, what an interval of ``SHOWN_LEVEL``
    multiplies or divides by; ``bottleneck``, what limits the row. Each where the model knows it.
    """
    chosen = [model.schema.targets.index(target) for target in targets]
    features = rows.features[places]
    logs = predict(model, features)
    table = prediction_table(rows, places, targets, logs[:, chosen])
    errors = torch.zeros(logs.shape, dtype=torch.float64)
    errors[:, chosen] = torch.as_tensor(logs[:, chosen]) - rows.targets[places].log()
    with torch.no_grad():
        levels = model.reaching_level(features, errors)
        widths = model.half_width(features, SHOWN_LEVEL)
        limits = model.bottlenecks(features)
    for place, target in zip(chosen, targets, strict=True):
        if levels is not None and widths is not None:
            table[f"level.{target}"] = levels[:, place].numpy()
            table[f"factor.{target}"] = widths[:, place].exp().numpy()
    if limits is not None:
        names, which = limits
        table["bottleneck"] = np.array(names)[which.numpy()]
    return table


def coverage(table: pd.DataFrame, targets: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return by target the share of rows within intervals of each level, and the median factor.

    Empty for a model without intervals.
    """
    return {
        target: {
            **{
                f"within_{level:.0%}": float((table[f"level.{target}"] <= level).mean())
                for level in LEVELS
            },
            f"median_factor_{SHOWN_LEVEL:.0%}": float(table[f"factor.{target}"].median()),
        }
        for target in targets
        if f"level.{target}" in table
    }


def prediction_table(
    rows: Examples, places: Tensor, targets: Sequence[str], log_predicted: NDArray[np.float64]
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
