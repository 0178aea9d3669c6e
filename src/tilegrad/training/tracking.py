"""What a training tells its loggers in the end: metrics, pictures, the checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, open_dict

from tilegrad.tracking.ending import open_run
from tilegrad.tracking.loggers import Outcome, begun_loggers, complete, forget_earlier
from tilegrad.tracking.quiet import quiet_lightning
from tilegrad.training.directory import MODEL


def track(config: DictConfig, directory: Path, result: Mapping[str, Any]) -> None:
    """Complete the run of each logger, which the loggers of the folds began.

    Weights & Biases has none where every fold was finished before, and is left alone.
    """
    own = config.copy()
    with open_dict(own):
        own.log = {"name": config.name, "dir": str(directory), "prefix": ""}
        if not open_run():
            own.logger = {k: v for k, v in (own.get("logger") or {}).items() if k != "wandb"}
    figures = {
        f"{target}/{name}": value
        for target, metrics in result["metrics"].items()
        for name, value in metrics.items()
        if value is not None
    }
    model = directory / MODEL
    pictures = sorted(directory.glob("*.png"))
    files = [model] if model.exists() else []
    outcome = Outcome(config.name, "model", figures, pictures, files)
    with quiet_lightning():
        loggers = begun_loggers(own)
        forget_earlier(loggers)
        complete(loggers, outcome)
