"""Training and testing of performance predictors: ``tilegrad train --help``."""

from __future__ import annotations

from typing import Any

import torch
from omegaconf import DictConfig
from rich.console import Console

from tilegrad.checks import choice
from tilegrad.commands.stopping import stop
from tilegrad.fingerprint.claim import claimed
from tilegrad.predictors import METRICS
from tilegrad.tracking.ending import tracked
from tilegrad.training import (
    build_run,
    finish_run,
    print_fold,
    print_refit,
    print_result,
)


def train(config: DictConfig) -> dict[str, Any]:
    """Train as ``conf/train.yaml`` describes and return the content of result.json.

    Nothing is written before the config and the data were found legal. Raises ``TilegradError``
    subclasses on bad input and ``KeyboardInterrupt`` after the finished folds were saved.
    """
    run = build_run(config)
    torch.set_num_threads(config.threads)
    console = Console(stderr=True, quiet=not config.progress)
    for finding in run.data.findings:
        console.print(f"data: {finding}", soft_wrap=True, highlight=False, markup=False)
    for remark in run.remarks:
        console.print(remark, soft_wrap=True, highlight=False, markup=False)
    with claimed(run.directory, run.fingerprint, run.config):
        try:
            folds = []
            for _, result in run.cross_validate():
                folds.append(result)
                print_fold(console, result, run.data.schema.targets[0])
            refit = run.refit() if config.refit else None
            if refit is not None:
                print_refit(console, refit)
        except KeyboardInterrupt:
            stop(run.directory)
        result = finish_run(run, folds, refit)
    if config.progress:
        print_result(run, result)
    return result


def main(config: DictConfig) -> Any:
    """Train, and return the metric that a sweep optimises."""
    metric = choice("optimized_metric", config.optimized_metric, METRICS)
    with tracked():
        metrics = train(config)["metrics"]
    return next(iter(metrics.values()))[metric] if metrics else None
