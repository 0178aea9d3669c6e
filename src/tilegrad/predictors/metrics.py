"""How well predictions rank and measure: pairs, rank correlations, errors, regret."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import kendalltau

FloatArray = NDArray[np.float64]

METRICS = {
    "pair_accuracy_micro": "share of all pairs of a layer's schedules that are ordered right",
    "pair_accuracy_macro": "the same, the mean over layers",
    "spearman_layer": "rank correlation within a layer, the mean over layers",
    "spearman": "rank correlation over all rows",
    "mape": "mean |predicted / measured - 1|",
    "median_error": "median |predicted / measured - 1|",
    "regret": "how much slower the schedule predicted best is than the best, the mean over "
    "the choices of a layer on a machine",
}
"""The metrics that every predictor is measured by; shares, not per cent."""


def ranking_metrics(
    predicted: FloatArray, measured: FloatArray, groups: Mapping[str, NDArray[np.int64]]
) -> dict[str, float]:
    """Return ``METRICS`` of log predictions and measurements ``[row]``.

    ``groups`` has the ``layer`` and the ``machine`` of every row. A metric without a pair or a
    choice to judge by is NaN.
    """
    table = pd.DataFrame({"predicted": predicted, "measured": measured, **groups})
    pairs = pair_counts(table)
    judged = pairs[pairs.ranked > 0]
    error = np.abs(np.expm1(table.predicted - table.measured))
    return {
        "pair_accuracy_micro": _ratio(float(judged.right.sum()), float(judged.ranked.sum())),
        "pair_accuracy_macro": float((judged.right / judged.ranked).mean()),
        "spearman_layer": _spearman_within(table),
        "spearman": _correlation(table.predicted.rank(), table.measured.rank()),
        "mape": float(error.mean()),
        "median_error": float(error.median()),
        "regret": _regret(table),
    }


def pair_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Return per layer the pairs whose measurements differ (``ranked``) and those ordered right.

    A pair of equal predictions counts as half right. Both follow from Kendall's tau-b and the
    ties, which SciPy finds in n log n.
    """
    rows = {layer: _pairs(group) for layer, group in table.groupby("layer")}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["right", "ranked"])


def _pairs(group: pd.DataFrame) -> tuple[float, float]:
    every = len(group) * (len(group) - 1) / 2
    by_measured = every - _tied(group, ["measured"])
    by_predicted = every - _tied(group, ["predicted"])
    if not by_measured or not by_predicted:
        return by_measured / 2, by_measured
    tau = float(kendalltau(group.predicted, group.measured).statistic)
    # tau-b is (right - wrong) / sqrt(pairs untied in the one * pairs untied in the other).
    lead = round(tau * np.sqrt(by_measured * by_predicted))
    return (by_measured + lead) / 2, by_measured


def _tied(group: pd.DataFrame, columns: list[str]) -> float:
    sizes = group.groupby(columns).size().to_numpy(np.float64)
    return float((sizes * (sizes - 1) / 2).sum())


def _spearman_within(table: pd.DataFrame) -> float:
    ranks = table.groupby("layer")[["predicted", "measured"]].rank()
    by_layer = ranks.groupby(table.layer)
    found = [_correlation(group.predicted, group.measured) for _, group in by_layer]
    return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")


def _correlation(first: pd.Series[float], second: pd.Series[float]) -> float:
    """Return Pearson's correlation; NaN where the second never varies, 0 where the first does not.

    A constant prediction ranks nothing, while constant measurements have no ranks.
    """
    if second.nunique() < 2:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1]) if first.nunique() > 1 else 0.0


def _regret(table: pd.DataFrame) -> float:
    """Return the mean loss by the predicted best of each choice; equal predictions share it."""
    keys = [table.layer, table.machine]
    groups = table.groupby(["layer", "machine"])
    best = groups.measured.transform("min")
    picked = table.predicted == groups.predicted.transform("min")
    several = groups.measured.transform("size") > 1
    chosen = picked & several
    loss = pd.Series(np.expm1(table.measured - best)[chosen])
    if not len(loss):
        return float("nan")
    return float(loss.groupby([key[chosen] for key in keys]).mean().mean())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
