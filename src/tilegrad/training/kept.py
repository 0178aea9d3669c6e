"""Which epoch's weights a training ends with, and the state that one killed goes on from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import ModelCheckpoint

from tilegrad.predictors import Predictor
from tilegrad.training.directory import BEST, LAST

AT_THE_END = "the last epoch"
"""Why its weights are kept, where none were better by a figure that was watched."""


class BestEpoch(ModelCheckpoint):
    """Keeps the weights of the epoch with the least ``monitor``; null: of none."""

    def __init__(self, directory: str, monitor: str | None = None) -> None:
        super().__init__(
            dirpath=directory,
            filename=Path(BEST).stem,
            monitor=monitor,
            mode="min",
            save_top_k=0 if monitor is None else 1,
            save_on_train_epoch_end=watched_in_training(monitor),
            enable_version_counter=False,
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on, also where the directory was moved: the paths are then those here."""

        def here(path: str) -> str:
            return str(Path(str(self.dirpath)) / Path(path).name) if path else path

        best = {here(path): score for path, score in state_dict["best_k_models"].items()}
        paths = {
            name: here(state_dict[name])
            for name in ("best_model_path", "kth_best_model_path", "last_model_path")
        }
        moved = {"dirpath": self.dirpath, "best_k_models": best}
        super().load_state_dict({**state_dict, **paths, **moved})


class LastState(ModelCheckpoint):
    """Saves all that a training needs to go on, after every ``every_n_epochs`` epochs."""

    def __init__(self, directory: str, every_n_epochs: int = 1) -> None:
        super().__init__(
            dirpath=directory,
            filename=Path(LAST).stem,
            every_n_epochs=every_n_epochs,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )


def watched_in_training(monitor: str | None) -> bool | None:
    """Return whether a figure is known after the training of an epoch, not after its validation."""
    return True if monitor is not None and monitor.startswith("train/") else None


def keep(trainer: Trainer, model: Predictor) -> dict[str, Any]:
    """Give the model the weights to keep; return their ``epoch``, from 1, and why (``by``)."""
    callbacks: Any = trainer.callbacks  # type: ignore[attr-defined]
    best = next((each for each in callbacks if isinstance(each, BestEpoch)), None)
    if best is None or not best.best_model_path:
        return {"epoch": trainer.current_epoch, "by": AT_THE_END}
    content = torch.load(best.best_model_path, map_location="cpu", weights_only=True)
    model.load_state_dict(content["state_dict"])
    return {"epoch": content["epoch"] + 1, "by": best.monitor}
