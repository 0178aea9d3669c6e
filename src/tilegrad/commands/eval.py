"""Evaluation of a trained predictor on other data: ``python eval.py --help``."""

from __future__ import annotations

from typing import Any

import hydra
from omegaconf import DictConfig

from tilegrad.checks import choice
from tilegrad.entry import refusals, run_entry
from tilegrad.paths import config_directory
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


@hydra.main(config_path=str(config_directory()), config_name="eval", version_base="1.3")
def main(config: DictConfig) -> Any:
    """Evaluate, and return the metric that a sweep optimises."""
    with refusals():
        metric = choice("optimized_metric", config.optimized_metric, METRICS)
        return next(iter(evaluate(config)["metrics"].values()))[metric]


def run() -> int:
    """Run the command with the process's arguments; return its exit code."""
    return run_entry(main, sweeps="outputs/eval")
