"""Runs that are killed, or whose disk fills, at random moments: repeated, the same answer."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fingerprint.processes import start, warm
from tests.fingerprint.runs import Run, figures, write_inputs
from tilegrad.files import TEMPORARY

FEW, MANY = 1, 50
"""Moments for each kind of run in `make slow` and in `make exhaustive`."""

PERCEPTRON = (
    "data=mine.csv", "model=mlp", "model.hidden=[8]", "data.batch_size=32", "split.count=2",
    "trainer.max_epochs=4", "plots=false", "progress=false",
)  # fmt: skip
GRADIENT = ("strategy.starts=4", "strategy.steps=3", "strategy.polish_rows=2000")

RUNS = {
    "training": Run("train", (*PERCEPTRON, "dir={dir}"), {}),
    "search": Run("search", ("workload=small.csv", *GRADIENT, "progress=false", "dir={dir}"), {}),
    "comparison": Run(
        "compare",
        (
            "~designs", "+designs.one=['accelerator=simba']", "+designs.two=['hardware.pe_dim=4']",
            "reference=one", "workloads=[small.csv]",
            "shared=['strategy.starts=4','strategy.steps=3','strategy.polish_rows=2000']",
            "progress=false", "dir={dir}",
        ),
        {},
    ),
    "sweep": Run(
        "train",
        ("-m", *PERCEPTRON, "refit=false", "seed=1,2", "progress=false", "hydra.sweep.dir={dir}"),
        {},
    ),
}  # fmt: skip


class Trial:
    """A whole run of a kind to compare others with, and how long it takes."""

    def __init__(self, run: Run, directory: Path) -> None:
        self.run, self.directory = run, directory
        self.log = directory / "log.txt"
        write_inputs(directory)
        warm()
        began = time.monotonic()
        self.finish("whole")
        self.seconds = time.monotonic() - began
        self.expected = figures(directory / "whole")
        assert self.expected

    def begin(self, place: str, most: int | None = None) -> Any:
        return start(self.run.command, self.run.into(place), self.directory, self.log, most)

    def finish(self, place: str) -> None:
        code, printed = self.begin(place).end()
        assert code == 0, printed

    def check(self, place: str) -> None:
        """Repeat a run that was cut off, and check that it ends as the whole one."""
        self.finish(place)
        assert figures(self.directory / place) == self.expected
        assert not list((self.directory / place).rglob(f".*{TEMPORARY}"))


def check_kills(trial: Trial, draw: random.Random, moments: int) -> None:
    killed = 0
    while killed < moments:
        killed += trial.begin("run").kill_after(draw.uniform(0, trial.seconds))
        trial.check("run")
        shutil.rmtree(trial.directory / "run")


def check_full(code: int, printed: str) -> None:
    """Check that a run whose disk filled said so in one line, if it did not get through."""
    assert code in (0, 2), printed
    assert "Traceback" not in printed
    if code == 2:
        last = printed.splitlines()[-1]
        assert last.startswith("error: "), printed
        assert "cannot be" in last, printed


def most_but(slow: str) -> list[Any]:
    """Return the kinds of runs: one to `make slow`, the others to `make exhaustive`."""
    rest = [kind for kind in RUNS if kind != slow]
    return [
        pytest.param(slow, marks=pytest.mark.slow),
        *[pytest.param(kind, marks=pytest.mark.exhaustive) for kind in rest],
    ]


@pytest.mark.parametrize("kind", most_but("search"))
def test_killed_at_random_moments(kind: str, directory: Path) -> None:
    check_kills(Trial(RUNS[kind], directory), random.Random(kind), FEW)


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", RUNS)
def test_killed_at_many_random_moments(kind: str, directory: Path) -> None:
    check_kills(Trial(RUNS[kind], directory), random.Random(f"many {kind}"), MANY)


@pytest.mark.parametrize("kind", most_but("training"))
def test_files_that_may_not_grow(kind: str, directory: Path) -> None:
    trial, draw = Trial(RUNS[kind], directory), random.Random(kind)
    sizes = sorted(p.stat().st_size for p in (directory / "whole").rglob("*") if p.is_file())
    for _ in range(FEW):
        code, printed = trial.begin("run", draw.randrange(1, sizes[-1])).end()
        check_full(code, printed)
        trial.check("run")
        shutil.rmtree(directory / "run")


@pytest.fixture
def disk(directory: Path) -> Iterator[Path]:
    """Return a place of a file system of its own."""
    place = directory / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("file systems can be mounted by root alone")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def resize(disk: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", RUNS)
def test_a_disk_that_fills_at_random_moments(kind: str, directory: Path, disk: Path) -> None:
    trial, draw = Trial(RUNS[kind], directory), random.Random(f"disk {kind}")
    needed = sum(p.stat().st_size for p in (directory / "whole").rglob("*") if p.is_file())
    for number in range(MANY):
        resize(disk, draw.randrange(4096, needed + 4096 * 40))
        place = f"disk/{number}"
        code, printed = trial.begin(place).end()
        check_full(code, printed)
        resize(disk, 64 << 20)
        trial.check(place)
        shutil.rmtree(directory / place)
