"""The progress bar of one training."""

from __future__ import annotations

from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class FoldProgress(Callback):
    """Shows epoch, validation error and the time left; gone when the training ends."""

    def __init__(self, name: str, show: bool = True) -> None:
        self._name = name
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("epoch {task.fields[epoch]}, validation error {task.fields[error]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        console = Console(stderr=True)
        # Elsewhere than on a terminal, a bar that is gone would leave an empty line.
        hidden = not (show and console.is_terminal)
        self._progress = Progress(*columns, console=console, transient=True, disable=hidden)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Begin."""
        self._task = self._progress.add_task(self._name, total=None, epoch="-", error="-")
        self._progress.start()

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,  # noqa: ARG002
        *_: Any,
    ) -> None:
        """Count the batch."""
        total = int(trainer.num_training_batches) * int(trainer.max_epochs or 1)
        epoch = f"{trainer.current_epoch + 1}/{trainer.max_epochs}"
        self._progress.update(self._task, advance=1, total=total, epoch=epoch)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Show how far off the predictions are."""
        error = trainer.callback_metrics.get("val/log_error")
        if error is not None:
            self._progress.update(self._task, error=f"{float(error.expm1()):.2%}")

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:  # noqa: ARG002
        """End, also after an error."""
        self._progress.stop()
