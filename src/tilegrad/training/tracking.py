"""The run's last word to its trackers: metrics, pictures and the checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from tilegrad.training.directory import MODEL


def track(config: DictConfig, directory: Path, result: Mapping[str, Any]) -> None:
    """Complete a Weights & Biases run, where one is open: the loggers of the folds began it."""
    if not config.logger or "wandb" not in config.logger:
        return
    import wandb

    run = wandb.run
    if run is None:
        return
    run.config.update(OmegaConf.to_container(config, resolve=True), allow_val_change=True)
    for target, metrics in result["metrics"].items():
        run.summary.update({f"{target}/{name}": value for name, value in metrics.items()})
    pictures = {path.stem: wandb.Image(str(path)) for path in sorted(directory.glob("*.png"))}
    if pictures:
        run.log(pictures)
    if (directory / MODEL).exists():
        artifact = wandb.Artifact(f"{config.name}-model", type="model")
        artifact.add_file(str(directory / MODEL))
        run.log_artifact(artifact)
    run.finish()
