"""Permutation importance: how much the pair accuracy falls when a column is shuffled."""

from __future__ import annotations

import pandas as pd
import torch

from tilegrad.datamodules import ScheduleDataModule
from tilegrad.predictors import Predictor
from tilegrad.predictors.metrics import pair_counts

ROWS = 2000


def permutation_importances(model: Predictor, data: ScheduleDataModule) -> dict[str, float]:
    """Return per column the fall of the first target's micro pair accuracy (Breiman 2001).

    Over at most ``ROWS`` rows, drawn by a fixed seed: the model knows them, so that this says what
    it leans on, not how well it does.
    """
    random = torch.Generator().manual_seed(0)
    rows = torch.randperm(len(data.rows), generator=random)[:ROWS]
    batch = data.rows[rows]
    features = batch["features"]
    measured = batch["log_targets"][:, 0].double().numpy()
    layer = batch["layer"].numpy()

    def accuracy(columns: torch.Tensor) -> float:
        with torch.no_grad():
            predicted = model(columns)[:, 0].double().numpy()
        table = pd.DataFrame({"predicted": predicted, "measured": measured, "layer": layer})
        counts = pair_counts(table).sum()
        return float(counts.right / max(counts.ranked, 1))

    whole = accuracy(features)
    falls = {}
    for place, name in enumerate(data.schema.columns):
        shuffled = features.clone()
        shuffled[:, place] = features[torch.randperm(len(rows), generator=random), place]
        varies = features[:, place].min() < features[:, place].max()
        falls[name] = whole - accuracy(shuffled) if varies else 0.0
    return falls
