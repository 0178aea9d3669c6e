"""Evaluation of a trained predictor on other data: ``tilegrad eval --help``."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig

from tilegrad.checks import choice
from tilegrad.predictors import METRICS
from tilegrad.training import build_evaluation, print_evaluation


def evaluate(config: DictConfig) -> dict[str, Any]:
    """Evaluate as ``conf/eval.yaml`` describes and return the content of result.json.

    Nothing is written before checkpoint and data were found legal. Raises ``TilegradError``
    subclasses on bad input.
    """
    evaluation = build_evaluation(config)
    result = evaluation.finish()
    if config.progress:
        print_evaluation(evaluation.directory, result)
    return result


def main(config: DictConfig) -> Any:
    """Evaluate, and return the metric that a sweep optimises."""
    metric = choice("optimized_metric", config.optimized_metric, METRICS)
    return next(iter(evaluate(config)["metrics"].values()))[metric]
