"""``hydra/launcher=ray``: jobs on a Ray cluster, on this machine where no address is given.

The launcher that Hydra's makers publish asks for a cloudpickle older than the one scikit-learn's
joblib needs, and gives up waiting for all jobs at the first that dies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from tilegrad.extras import required
from tilegrad.spread.spread import begun

FIELD = "hydra/launcher=ray"


class RayLauncher(Launcher):
    """Runs every job as a task of Ray; ``init`` and ``remote`` are what ``ray`` takes by name."""

    def __init__(self, init: Mapping[str, Any], remote: Mapping[str, Any]) -> None:
        self._init, self._remote = _plain(init), _plain(remote)

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra gives a launcher."""
        self.hydra_context = hydra_context
        self.task_function = task_function
        self.config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> list[JobReturn]:
        """Return what the jobs returned; where some died, raise once no job is at work."""
        # Refused before anything is written.
        required("ray", "ray", FIELD)
        Path(str(self.config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
        ray = begun(self._init, FIELD)
        run = ray.remote(**self._remote)(_run)
        state = ray.put(Singleton.get_state())
        waiting = [
            run.remote(self._job(overrides, number), self.hydra_context, self.task_function, state)
            for number, overrides in enumerate(job_overrides, initial_job_idx)
        ]
        ray.wait(waiting, num_returns=len(waiting), fetch_local=False)
        return list(ray.get(waiting))

    def _job(self, overrides: Sequence[str], number: int) -> DictConfig:
        loader = self.hydra_context.config_loader
        job = loader.load_sweep_config(self.config, list(overrides))
        with open_dict(job):
            job.hydra.job.id = str(number)
            job.hydra.job.num = number
        return job


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    found: Any = OmegaConf.to_container(OmegaConf.create(dict(settings)), resolve=True)
    return dict(found)


def _run(
    config: DictConfig, context: HydraContext, task: TaskFunction, state: dict[Any, Any]
) -> JobReturn:
    """Run one job in a worker's process."""
    setup_globals()
    Singleton.set_state(state)
    HydraConfig.instance().set_config(config)
    return run_job(
        task_function=task,
        config=config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
        hydra_context=context,
    )
