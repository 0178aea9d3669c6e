"""A run's loggers: begun with its settings, completed with its figures, pictures and files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from matplotlib.image import imread
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.loggers import Logger, TensorBoardLogger, WandbLogger

INTERNAL = ("fold", "log")
"""Fields of a config that say where it logs."""


@dataclass(frozen=True)
class Outcome:
    """What a run ended with: figures by name, pictures, and the ``files`` that ``kind`` keeps.

    ``tables`` are CSV files that are also shown as tables.
    """

    name: str
    kind: str
    figures: Mapping[str, float]
    pictures: Sequence[Path]
    files: Sequence[Path]
    tables: Sequence[Path] = ()


def begun_loggers(config: DictConfig) -> list[Logger]:
    """Return a config's loggers; Weights & Biases has the settings, so that failed runs do."""
    found = [instantiate(node) for node in (config.get("logger") or {}).values() if node]
    plain: Any = OmegaConf.to_container(config, resolve=True)
    settings = {name: value for name, value in plain.items() if name not in INTERNAL}
    for logger in found:
        if isinstance(logger, WandbLogger):
            logger.log_hyperparams(settings)
    return found


def forget_earlier(loggers: Sequence[Logger]) -> None:
    """Remove what the same run told TensorBoard before, which would show it twice."""
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            for path in Path(logger.log_dir).glob("events.out.tfevents.*"):
                path.unlink()


def complete(loggers: Sequence[Logger], outcome: Outcome) -> None:
    """Tell the loggers how a run ended, and end theirs."""
    for logger in loggers:
        if isinstance(logger, WandbLogger):
            _complete_wandb(logger.experiment, outcome)
        elif isinstance(logger, TensorBoardLogger):
            _complete_board(logger.experiment, outcome)
        logger.finalize("success")


def _complete_wandb(run: Any, outcome: Outcome) -> None:
    import wandb

    run.summary.update(dict(outcome.figures))
    if outcome.pictures:
        run.log({path.stem: wandb.Image(str(path)) for path in outcome.pictures})
    if outcome.tables:
        run.log({path.stem: _wandb_table(path) for path in outcome.tables})
    if outcome.files:
        name = re.sub(r"[^\w.-]", "_", f"{outcome.name}-{outcome.kind}")
        artifact = wandb.Artifact(name, type=outcome.kind)
        for path in outcome.files:
            # Immutable: it is uploaded from where it lies, not from a copy in the user's home.
            artifact.add_file(str(path), policy="immutable")
        run.log_artifact(artifact)
    run.finish()


def _wandb_table(path: Path) -> Any:
    import pandas as pd
    import wandb

    return wandb.Table(dataframe=pd.read_csv(path))


def _complete_board(writer: Any, outcome: Outcome) -> None:
    for name, value in outcome.figures.items():
        writer.add_scalar(name, value)
    for path in outcome.pictures:
        writer.add_image(path.stem, imread(path), dataformats="HWC")
