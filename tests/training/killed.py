"""``python killed.py FOLD EPOCH ...`` runs ``train.py ...`` and kills its process in that epoch."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from pytorch_lightning import LightningModule, Trainer

from tilegrad.application import run
from tilegrad.training import FoldProgress


def at(fold: str, epoch: int, act: Callable[[], object]) -> Callable[..., None]:
    """Return a hook of ``FoldProgress`` that acts in one epoch of one fold."""

    def hook(self: FoldProgress, trainer: Trainer, *_: LightningModule) -> None:  # noqa: ARG001
        if trainer.current_epoch == epoch and str(trainer.default_root_dir).endswith(fold):
            act()

    return hook


def kill() -> None:
    """End this process as ``kill -9`` would."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    hooked: Any = FoldProgress
    hooked.on_train_epoch_start = at(sys.argv[1], int(sys.argv[2]), kill)
    sys.exit(run("train", sys.argv[3:]))
