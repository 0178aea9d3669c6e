"""``hydra/sweeper=optuna``: a search by Optuna over what Hydra's sweep syntax describes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from tilegrad.errors import ConfigError
from tilegrad.files import alone, write_text
from tilegrad.fingerprint.claim import job_fingerprint
from tilegrad.fingerprint.record import Fingerprint
from tilegrad.sweeps.space import LEGAL, search_space, trial_overrides
from tilegrad.sweeps.study import RISING, Search, SearchSettings
from tilegrad.sweeps.surviving import Surviving


class OptunaSweeper(Sweeper):
    """Searches the fields that are swept, ``jobs`` trials at a time, for ``trials`` in all.

    A trial that fails or crashes is noted as failed, the rest goes on; the same command goes on
    with what its directory holds. More ``trials`` go on with a finished search.
    """

    def __init__(
        self,
        trials: int,
        jobs: int,
        direction: str | None,
        sampler: Mapping[str, Any],
        seed: int,
        attempts: int,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        self._choices = (trials, jobs, sampler, seed, attempts)
        self._direction = direction
        self._params = dict(params or {})

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra gives a sweeper."""
        self.config = config
        self.hydra_context = hydra_context
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )
        self._launcher = Surviving(launcher, hydra_context, config)

    def sweep(self, arguments: list[str]) -> None:
        """Run the trials that are not done yet."""
        assert self.config is not None
        metric = str(self.config.optimized_metric)
        direction = self._direction or ("maximize" if metric in RISING else "minimize")
        trials, jobs, sampler, seed, attempts = self._choices
        settings = SearchSettings(trials, jobs, direction, sampler, seed, attempts)
        parser = OverridesParser.create()
        given = [*(f"{key}={value}" for key, value in self._params.items()), *arguments]
        space, fixed = search_space(parser.parse_overrides(given))
        if not space:
            raise ConfigError(f"hydra/sweeper=optuna has no field to search; legal: FIELD={LEGAL}")
        identity = {
            "metric": metric,
            "space": {key: repr(value) for key, value in space.items()},
            "settings": {k: v for k, v in fixed.items() if k not in ("progress", "plots")},
            "sampler": dict(sampler),
            "seed": seed,
        }
        directory = Path(str(self.config.hydra.sweep.dir))
        with alone("hydra.sweep.dir", directory, "sweep.lock"):
            search = Search(directory, settings, space, identity)
            search.check_trials(lambda number, params: self._reads(number, {**fixed, **params}))
            write_text(directory / "multirun.yaml", OmegaConf.to_yaml(self.config))
            while batch := search.batch():
                for first, found in _runs(batch):
                    self._run(search, first, [trial_overrides(params, fixed) for params in found])

    def _reads(self, number: int, settings: Mapping[str, Any]) -> Fingerprint:
        """Return what the trial of a number reads."""
        assert self.hydra_context is not None
        assert self.config is not None
        loader = self.hydra_context.config_loader
        job = loader.load_sweep_config(self.config, trial_overrides(settings, {}))
        with open_dict(job):
            job.hydra.job.num = number
        return job_fingerprint(job)

    def _run(self, search: Search, first: int, overrides: list[list[str]]) -> None:
        returned = self._launcher.launch(overrides, initial_job_idx=first)
        for place, result in enumerate(returned):
            search.tell(first + place, result.return_value)


def _runs(
    batch: Mapping[int, Mapping[str, Any]],
) -> Iterator[tuple[int, Sequence[Mapping[str, Any]]]]:
    """Part trials into runs of consecutive numbers, as launchers number their jobs."""
    first, found = -1, list[Mapping[str, Any]]()
    for number in sorted(batch):
        if found and number != first + len(found):
            yield first, found
            found = []
        if not found:
            first = number
        found.append(batch[number])
    if found:
        yield first, found
