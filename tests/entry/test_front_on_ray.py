"""A front on real workers of Ray: the same as in one process, whoever of them was killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers_scripts import Command, Script

ROOT = Path(__file__).parents[2]

FRONT = (
    "workload=small.csv", "strategy.starts=8", "strategy.steps=3", "strategy.polish_rows=2000",
    "caps.pe_dim=16", "front=[edp,area_mm2]", "points=10", "report=false", "progress=false",
    "bound=none",
)  # fmt: skip
"""Waves of several searches, the last of which begin beside known designs alone."""

PATIENT_RAY = {"RAY_raylet_start_wait_time_s": "400", "RAY_AUTH_MODE": "disabled"}
"""Environment of a Ray that starts on a busy machine, and asks for no token on its own."""

MOST_SECONDS = 600


@pytest.fixture
def searching(script: Script) -> Command:
    """Return a function that runs ``search.py`` with arguments."""
    return lambda *arguments: script("search", *arguments)


def _started(workers: int, *settings: str) -> subprocess.Popen[str]:
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    ray = ("spread=ray", f"+spread.init.num_cpus={workers}", "dir=on_ray")
    return subprocess.Popen(
        [sys.executable, str(ROOT / "search.py"), *FRONT, *ray, *settings],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **PATIENT_RAY},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _wait_for(path: Path, driver: subprocess.Popen[str]) -> None:
    until = time.monotonic() + MOST_SECONDS
    while not path.exists():
        assert driver.poll() is None, driver.communicate()[0]
        assert time.monotonic() < until
        time.sleep(0.05)


def _kill_a_worker(driver: subprocess.Popen[str]) -> None:
    """Kill a worker of the driver's cluster, on this machine, that is at work on a search."""
    until = time.monotonic() + MOST_SECONDS
    while time.monotonic() < until:
        assert driver.poll() is None, driver.communicate()[0]
        listed = subprocess.run(
            ["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
        )
        rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
        parents = {int(pid): int(parent) for pid, parent, *_ in rows}
        at_work = [int(pid) for pid, _, *words in rows if words and words[0].startswith("ray::_at")]
        ours = [pid for pid in at_work if parents.get(parents[pid]) == driver.pid]
        if ours:
            os.kill(ours[0], signal.SIGKILL)
            return
        time.sleep(0.02)
    raise AssertionError("no worker was at work")


@pytest.mark.exhaustive
def test_four_workers_undisturbed_and_with_one_killed_end_at_one_front(
    searching: Command, directory: Path
) -> None:
    pytest.importorskip("ray", reason="not installed: pip install 'tilegrad[ray]'")
    assert searching(*FRONT, "dir=here").code == 0
    here = (directory / "here" / "front.csv").read_bytes()
    for disturb in (lambda _: None, _kill_a_worker):
        driver = _started(4)
        disturb(driver)
        told, _ = driver.communicate(timeout=MOST_SECONDS)
        assert driver.returncode == 0, told
        assert (directory / "on_ray" / "front.csv").read_bytes() == here
        assert ("worker died" in told.lower()) == (disturb is _kill_a_worker), told
        shutil.rmtree(directory / "on_ray")


@pytest.mark.slow
def test_two_workers_one_worker_and_a_killed_driver_end_at_one_front(
    searching: Command, directory: Path
) -> None:
    pytest.importorskip("ray", reason="not installed: pip install 'tilegrad[ray]'")
    few = "points=6"
    assert searching(*FRONT, few, "dir=here").code == 0
    killed = _started(2, few)
    _wait_for(directory / "on_ray" / "points" / "002" / "result.json", killed)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not (directory / "on_ray" / "front.csv").exists()
    again = _started(1, few)
    told, _ = again.communicate(timeout=MOST_SECONDS)
    assert again.returncode == 0, told
    here, on_ray = (directory / place / "front.csv" for place in ("here", "on_ray"))
    assert on_ray.read_bytes() == here.read_bytes()


def test_without_ray_a_spread_names_the_extra(
    searching: Command, monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    ended = searching(*FRONT, "dir=out", "spread=ray")
    assert ended.code == 2
    assert "spread=ray needs the package ray" in ended.err
    assert "pip install 'tilegrad[ray]'" in ended.err
    assert not (directory / "out").exists()
