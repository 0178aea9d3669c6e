"""``hydra/sweeper=grid``: all combinations, whatever happens to some of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig

from tilegrad.files import alone
from tilegrad.sweeps.surviving import Surviving, forget_records

EXPERIMENT = "experiment"


class GridSweeper(BasicSweeper):
    """Hydra's basic sweeper, with jobs that fail or crash by themselves alone.

    Where several experiments are swept, each brings what it sweeps (its ``hydra.sweeper.params``).
    """

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

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Leave it to the launcher, which composes every job of a batch before it begins one."""

    def split_arguments(  # type: ignore[override]
        self, overrides: list[Override], max_batch_size: int | None
    ) -> list[list[list[str]]]:
        """Return the overrides of the jobs, in batches."""
        last = {override.get_key_element(): override for override in overrides}.get(EXPERIMENT)
        if last is None or not last.is_sweep_override():
            return super().split_arguments(overrides, max_batch_size)
        others = [override for override in overrides if override.get_key_element() != EXPERIMENT]
        jobs: list[list[str]] = []
        for name in last.sweep_string_iterator():
            given = [*self._experiment(str(name)), *others]
            jobs += super().split_arguments(given, None)[0]
        return list(self.split_overrides_to_chunks(jobs, max_batch_size))

    def _experiment(self, name: str) -> Sequence[Override]:
        """Return the choice of an experiment and what it sweeps, as overrides."""
        assert self.hydra_context is not None
        assert self.config is not None
        loader = self.hydra_context.config_loader
        chosen = f"{EXPERIMENT}={name}"
        whole = loader.load_configuration(
            self.config.hydra.job.config_name, [chosen], run_mode=RunMode.MULTIRUN
        )
        swept = whole.hydra.sweeper.get("params") or {}
        texts = [chosen, *(f"{key}={value}" for key, value in swept.items())]
        found: Sequence[Override] = OverridesParser.create(loader).parse_overrides(texts)
        return found
