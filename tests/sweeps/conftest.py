"""``train.py -m`` in this process and in an empty directory, on a hundred made schedules."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

import train
from tests.entry.conftest import Ended
from tilegrad.entry import run_entry

ROOT = Path(train.__file__).parent

WHOLE = "data.source={_target_:tests.helpers_schedules.MadeSchedules}"
"""A source that ends no job."""

QUICK = (
    "model=linear", "data=default", "data.batch_size=32", "split.count=2", "refit=false",
    "importances=false", "plots=false", "progress=false", "logger=none", "hydra.sweep.dir=sweep",
)  # fmt: skip
"""Settings of jobs of a fraction of a second; a source goes with them."""

Command = Callable[..., Ended]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Return a function that runs ``train.py`` with arguments."""
    assert directory.is_dir()
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")

    def run(*arguments: str) -> Ended:
        GlobalHydra.instance().clear()
        monkeypatch.setattr(sys, "argv", ["train.py", *arguments])
        capsys.readouterr()
        return Ended(run_entry(train.main), *capsys.readouterr())

    return run


def real_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``train.py`` in a process of its own, and wait for it."""
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    return subprocess.run(
        [sys.executable, str(ROOT / "train.py"), *arguments],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
