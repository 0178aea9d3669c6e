"""Lightning's checkpoints, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytorch_lightning.plugins import TorchCheckpointIO

from tilegrad.files import write_torch


class WholeFiles(TorchCheckpointIO):
    """Reads as Lightning does; writes so that a kill or a full disk leaves the file of before."""

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: str | Path,
        storage_options: Any | None = None,  # noqa: ARG002
    ) -> None:
        """Write a checkpoint."""
        write_torch(Path(path), checkpoint)
