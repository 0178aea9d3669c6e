"""Weights & Biases: the run's last word to it (metrics, pictures, checkpoint), and its end."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.loggers import Logger, WandbLogger

from tilegrad.extras import required
from tilegrad.training.directory import MODEL


def check_trackers(config: DictConfig) -> None:
    """Refuse a tracker whose package is not installed; ``ConfigError`` names the extra."""
    nodes = [node for node in (config.logger or {}).values() if node]
    if any(node.get("_target_", "").endswith("WandbLogger") for node in nodes):
        required("wandb", "wandb", "logger=wandb")


def describe_config(config: DictConfig, loggers: Sequence[Logger]) -> None:
    """Give Weights & Biases the config when a fold begins, so that failed runs have it too."""
    plain: Any = OmegaConf.to_container(config, resolve=True)
    plain.pop("fold")
    for logger in loggers:
        if isinstance(logger, WandbLogger):
            logger.log_hyperparams(plain)


@contextmanager
def tracked() -> Iterator[None]:
    """End the tracker's run however the training ends: a sweep's next job has one of its own."""
    try:
        yield
    except BaseException:
        wandb = sys.modules.get("wandb")
        if wandb is not None and wandb.run is not None:
            wandb.finish(exit_code=1)
        raise


def track(config: DictConfig, directory: Path, result: Mapping[str, Any]) -> None:
    """Complete a Weights & Biases run, where one is open: the loggers of the folds began it."""
    if not config.logger or "wandb" not in config.logger:
        return
    import wandb

    run = wandb.run
    if run is None:
        return
    for target, metrics in result["metrics"].items():
        run.summary.update({f"{target}/{name}": value for name, value in metrics.items()})
    pictures = {path.stem: wandb.Image(str(path)) for path in sorted(directory.glob("*.png"))}
    if pictures:
        run.log(pictures)
    if (directory / MODEL).exists():
        artifact = wandb.Artifact(f"{config.name}-model", type="model")
        # Immutable: it is uploaded from where it lies, not from a copy in the user's home.
        artifact.add_file(str(directory / MODEL), policy="immutable")
        run.log_artifact(artifact)
    run.finish()
