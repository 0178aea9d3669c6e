"""The end of Weights & Biases' run, however ours ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def tracked() -> Iterator[None]:
    """End the tracker's run however ours ends: a sweep's next job has one of its own."""
    try:
        yield
    except BaseException:
        if open_run():
            sys.modules["wandb"].finish(exit_code=1)
        raise


def open_run() -> bool:
    """Return whether a run of Weights & Biases has begun and not ended."""
    wandb = sys.modules.get("wandb")
    return wandb is not None and wandb.run is not None
