"""Ctrl-C during a training, and stopping that holds after one was killed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import EarlyStopping

from tilegrad.training.kept import watched_in_training


@contextmanager
def plain_interrupts() -> Iterator[None]:
    """Let Ctrl-C end a training as ``KeyboardInterrupt``.

    Lightning would end the process with code 1, and leave it deaf to further ones.
    """
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as ended:
        raise KeyboardInterrupt from ended
    finally:
        if signal.getsignal(signal.SIGINT) is not before:
            signal.signal(signal.SIGINT, before)


class Patience(EarlyStopping):
    """Early stopping that also holds where a training was killed when it had just stopped.

    Lightning's would train for another epoch then, and might end with another best one. A figure
    of the training is looked at when the epoch ends, one of the validation after it.
    """

    def __init__(self, monitor: str, **settings: Any) -> None:
        at_the_end = watched_in_training(monitor)
        super().__init__(monitor, check_on_train_epoch_end=at_the_end, **settings)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Stop at once where the patience was used up before."""
        if self.wait_count >= self.patience:
            trainer.should_stop = True
