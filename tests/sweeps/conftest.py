"""``train.py -m`` in this process and in an empty directory, on a hundred made schedules."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers_scripts import Command, Script

ROOT = Path(__file__).parents[2]

WHOLE = "data.source={_target_:tests.helpers_schedules.MadeSchedules}"
"""A source that ends no job."""

QUICK = (
    "model=linear", "data=default", "data.batch_size=32", "split.count=2", "refit=false",
    "importances=false", "plots=false", "progress=false", "logger=none", "hydra.sweep.dir=sweep",
)  # fmt: skip
"""Settings of jobs of a fraction of a second; a source goes with them."""


@pytest.fixture
def command(script: Script) -> Command:
    """Return a function that runs ``train.py`` with arguments."""
    return lambda *arguments: script("train", *arguments)


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
