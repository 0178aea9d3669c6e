"""Figures as texts: shares of a metric as per cent, the rest by their digits."""

from __future__ import annotations

from math import isnan

from tilegrad.predictors import METRICS


def shown(name: str, value: float) -> str:
    """Return a figure by the name of its column; "-" where there is none."""
    if isnan(value):
        return "-"
    metric = name.rpartition(".")[2]
    if metric not in METRICS:
        return f"{value:.6g}"
    return f"{value:.4f}" if "spearman" in metric else f"{100 * value:.2f} %"
