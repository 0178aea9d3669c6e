"""Lightning without the remarks that say nothing to our users."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

REMARKS = (
    ".*does not have many workers.*",
    ".*will run with no optimizer.*",
    ".*exists and is not empty.*",
    ".*is smaller than the logging interval.*",
    ".*There is a wandb run already in progress.*",
    ".*returned None.*",
    ".*Starting from v1.9.0.*",
    ".*Checkpoint directory.*",
    ".*The dirpath has changed.*",
    ".*LeafSpec.* is deprecated.*",
    # A training is one process, in a Slurm job as anywhere.
    ".*`srun` command is available on your system but is not used.*",
)


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Leave out remarks on workers, devices and log intervals; errors and the rest stay."""
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for remark in REMARKS:
                warnings.filterwarnings("ignore", remark)
            yield
    finally:
        logger.setLevel(level)
