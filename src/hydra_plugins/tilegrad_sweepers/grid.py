"""``hydra/sweeper=grid``: all combinations, whatever happens to some of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from tilegrad.files import alone
from tilegrad.sweeps.surviving import Surviving, forget_records


class GridSweeper(BasicSweeper):
    """Hydra's basic sweeper, with jobs that fail or crash by themselves alone."""

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra gives a sweeper."""
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)
        assert self.launcher is not None
        self.launcher = Surviving(self.launcher, hydra_context, config)  # type: ignore[assignment]

    def sweep(self, arguments: list[str]) -> Any:
        """Run a job for every combination of the arguments."""
        assert self.config is not None
        directory = Path(str(self.config.hydra.sweep.dir))
        with alone("hydra.sweep.dir", directory, "sweep.lock"):
            forget_records(directory)
            return super().sweep(arguments)
