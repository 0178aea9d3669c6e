"""Where jobs run: a worker that dies, joblib's processes, a local Ray cluster, missing extras."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, RunMode

from tests.helpers_scripts import Command
from tests.sweeps.conftest import QUICK, WHOLE, real_process
from tests.sweeps.helpers import ending
from tilegrad.paths import config_directory
from tilegrad.sweeps.record import JobRecord, read_record
from tilegrad.sweeps.surviving import Surviving

SWEEP = Path("sweep")

PATIENT_RAY = {"RAY_raylet_start_wait_time_s": "400", "RAY_AUTH_MODE": "disabled"}
"""Environment of a Ray that starts on a busy machine, and asks for no token on its own."""


class DyingLauncher(Launcher):
    """Writes the records that jobs write, until one begins that ends the whole batch."""

    def __init__(self, dies: str) -> None:
        self.dies = dies
        self.batches: list[Sequence[Sequence[str]]] = []

    def setup(self, **_: Any) -> None:
        """Take nothing."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> list[JobReturn]:
        """Return a tenth of each job's number."""
        self.batches.append(job_overrides)
        returned = []
        for number, overrides in enumerate(job_overrides, initial_job_idx):
            record = JobRecord(number, tuple(overrides), "nowhere")
            record.write(SWEEP / str(number))
            if self.dies in overrides:
                raise BrokenPipeError("worker 7 is gone\nand more")
            record.completed(number / 10).write(SWEEP / str(number))
            done = JobReturn(overrides=overrides, status=JobStatus.COMPLETED)
            done.return_value = number / 10
            returned.append(done)
        return returned


class BrokenLauncher(DyingLauncher):
    """Begins no job."""

    def launch(self, *_: Any, **__: Any) -> list[JobReturn]:
        """Fail as submitit does without Slurm."""
        raise FileNotFoundError("sbatch")


def surviving(launcher: Launcher) -> Surviving:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        config = loader.load_configuration(
            "train", ["hydra.sweep.dir=sweep"], run_mode=RunMode.MULTIRUN
        )
    return Surviving(launcher, HydraContext(loader, Callbacks()), config)


def test_a_dead_worker_costs_only_its_own_job(directory: Path) -> None:
    assert directory.is_dir()
    launcher = DyingLauncher("seed=2")
    returned = surviving(launcher).launch([["seed=1"], ["seed=2"], ["seed=3"]], 0)
    assert [found.return_value for found in returned] == [0.0, None, 0.2]
    assert launcher.batches[1:] == [[["seed=2"]], [["seed=3"]]]
    record = read_record(SWEEP / "1")
    assert record is not None
    assert record.status == "failed"
    assert record.error == "its process ended: BrokenPipeError: worker 7 is gone"


def test_a_launcher_that_begins_no_job_is_not_a_jobs_failure(directory: Path) -> None:
    assert directory.is_dir()
    with pytest.raises(FileNotFoundError, match="sbatch"):
        surviving(BrokenLauncher("")).launch([["seed=1"], ["seed=2"]], 0)


def absent(extra: str) -> str:
    return f"not installed: pip install 'tilegrad[{extra}]'"


@pytest.mark.parametrize(("launcher", "extra"), [("joblib", "sweeps"), ("submitit_slurm", "slurm")])
def test_a_launcher_that_is_not_installed_names_its_extra(
    launcher: str, extra: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    Plugins.instance()
    launchers = ConfigStore.instance().repo["hydra"]["launcher"]
    monkeypatch.delitem(launchers, f"{launcher}.yaml", raising=False)
    ended = command("-m", f"hydra/launcher={launcher}", *QUICK, WHOLE, "seed=1,2")
    assert ended.code == 2
    assert f"unknown option '{launcher}'" in ended.err
    assert f"pip install 'tilegrad[{extra}]'" in ended.err


def test_without_ray_its_launcher_names_the_extra(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    ended = command("-m", "hydra/launcher=ray", *QUICK, WHOLE, "seed=1,2")
    assert ended.code == 2
    assert "hydra/launcher=ray needs the package ray" in ended.err
    assert "pip install 'tilegrad[ray]'" in ended.err


@pytest.mark.exhaustive
def test_joblib_runs_jobs_in_processes_and_survives_one_that_dies(directory: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason=absent("sweeps"))
    launcher = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    survived(real_process("-m", *QUICK, *launcher, "seed=1,2", ending(2, "exit")), directory)


@pytest.mark.slow
def test_ray_runs_jobs_on_a_local_cluster_and_survives_one_that_dies(directory: Path) -> None:
    pytest.importorskip("ray", reason=absent("ray"))
    launcher = (
        "hydra/launcher=ray", "+hydra.launcher.init.num_cpus=2",
        "hydra.launcher.remote.max_retries=0",
    )  # fmt: skip
    jobs = (*launcher, "seed=1,2", ending(2, "exit"))
    survived(real_process("-m", *QUICK, *jobs, **PATIENT_RAY), directory)


def survived(done: subprocess.CompletedProcess[str], directory: Path) -> None:
    """Check a sweep over the seeds 1 and 2, whose second job ended its process."""
    assert done.returncode == 2, done.stderr
    assert "1 of 2 jobs failed; job 1 (seed=2): its process ended: " in done.stderr
    result = directory / "sweep" / "0" / "result.json"
    assert json.loads(result.read_text())["seed"] == 1
    jobs = pd.read_csv(directory / "sweep" / "summary.csv")
    assert list(jobs.status) == ["complete", "failed"]
