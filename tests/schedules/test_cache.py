"""The cache of simulated schedules: damaged, half made, used by several processes at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tilegrad.accelerator import load_accelerator
from tilegrad.errors import DataError
from tilegrad.schedules import Schedules, SimulatedSchedules
from tilegrad.schedules.shards import ABANDONED_SECONDS
from tilegrad.schedules.simulated import PREVIEW
from tilegrad.workload import load_workload

SCRIPT = """
import sys
from tilegrad.accelerator import load_accelerator
from tilegrad.schedules import SimulatedSchedules
from tilegrad.workload import load_workload
SimulatedSchedules(
    load_accelerator("gemmini"), load_workload("alexnet"), machines=5, each=5,
    cache=sys.argv[1], workers=1,
).load()
"""
SHARDS = 8


def source(cache: Path, drawn: bool = False) -> SimulatedSchedules:
    """Return what ``SCRIPT`` makes; without the preview, which takes longest, unless ``drawn``."""
    made = SimulatedSchedules(
        load_accelerator("gemmini"),
        load_workload("alexnet"),
        machines=5,
        each=5,
        cache=str(cache),
        workers=2,
    )
    if not drawn and cache.is_dir():
        made.directory.mkdir(parents=True, exist_ok=True)
        (made.directory / PREVIEW).touch()
    return made


def start(cache: Path) -> subprocess.Popen[bytes]:
    """Make them in a process of its own."""
    source(cache)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(cache)], env=environment)


class Stopped(BaseException):
    """Ends what is under way."""


def parts(cache: Path) -> list[Path]:
    """Return the finished shards, in order."""
    return sorted(cache.glob("*/part-*.parquet"))


def assert_equal(left: Schedules, right: Schedules) -> None:
    """Compare mappings, ids and targets bit by bit."""
    for name in ("latency", "energy", "edp"):
        assert torch.equal(left.targets[name], right.targets[name])
    assert torch.equal(left.nests.temporal, right.nests.temporal)
    assert torch.equal(left.nests.spatial, right.nests.spatial)
    assert torch.equal(left.nests.order, right.nests.order)
    assert torch.equal(left.layer, right.layer)
    assert torch.equal(left.machine, right.machine)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Schedules:
    """Return the schedules, made without interruption."""
    return source(tmp_path_factory.mktemp("reference")).load()


@pytest.mark.slow
def test_killed_generation_goes_on_and_ends_the_same(tmp_path: Path, reference: Schedules) -> None:
    running = start(tmp_path)
    while len(parts(tmp_path)) < 3 and running.poll() is None:
        time.sleep(0.001)
    running.send_signal(signal.SIGKILL)
    running.wait()
    made = {path: path.stat().st_mtime_ns for path in parts(tmp_path)}
    assert 3 <= len(made) < SHARDS
    assert_equal(source(tmp_path).load(), reference)
    assert {path: path.stat().st_mtime_ns for path in made} == made


@pytest.mark.slow
def test_two_processes_share_a_cache(tmp_path: Path, reference: Schedules) -> None:
    running = start(tmp_path)
    while not parts(tmp_path) and running.poll() is None:
        time.sleep(0.001)
    assert running.poll() in (None, 0)
    assert_equal(source(tmp_path).load(), reference)
    assert running.wait() == 0
    assert len(parts(tmp_path)) == SHARDS
    assert not list(source(tmp_path).directory.glob(".*"))
    assert_equal(source(tmp_path).load(), reference)


def test_interrupted_generation_goes_on_and_ends_the_same(
    tmp_path: Path, reference: Schedules
) -> None:
    def stop(_: int, fraction: float) -> None:
        if fraction > 0.3:
            raise Stopped

    with pytest.raises(Stopped):
        source(tmp_path).load(stop)
    made = {path: path.stat().st_mtime_ns for path in parts(tmp_path)}
    assert 1 <= len(made) < SHARDS
    assert_equal(source(tmp_path).load(), reference)
    assert {path: path.stat().st_mtime_ns for path in made} == made


def test_damaged_shards_are_made_again(tmp_path: Path, reference: Schedules) -> None:
    assert_equal(source(tmp_path).load(), reference)
    cut, empty, flipped, missing, other = parts(tmp_path)[:5]
    content = cut.read_bytes()
    cut.write_bytes(content[: len(content) // 2])
    empty.write_bytes(b"")
    content = bytearray(flipped.read_bytes())
    content[len(content) // 3] ^= 0xFF
    flipped.write_bytes(bytes(content))
    missing.unlink()
    untouched = other.stat().st_mtime_ns
    assert_equal(source(tmp_path).load(), reference)
    assert_equal(source(tmp_path).load(), reference)
    assert other.stat().st_mtime_ns == untouched


def test_unfinished_files_are_removed_when_nobody_writes_them(tmp_path: Path) -> None:
    directory = source(tmp_path).directory
    old, new = directory / ".part-00000.1-2.tmp", directory / ".part-00001.1-2.tmp"
    for path in (old, new):
        path.write_bytes(b"half")
    before = time.time() - 2 * ABANDONED_SECONDS
    os.utime(old, (before, before))
    source(tmp_path).load()
    assert not old.exists()
    assert new.exists()


def test_preview_lies_beside_the_shards(tmp_path: Path) -> None:
    made = source(tmp_path, drawn=True)
    made.load()
    picture = made.directory / PREVIEW
    assert picture.read_bytes().startswith(b"\x89PNG")
    before = picture.stat().st_mtime_ns
    made.load()
    assert picture.stat().st_mtime_ns == before


def test_progress_ends_at_all_rows(tmp_path: Path) -> None:
    told: list[tuple[int, float]] = []
    made = source(tmp_path)
    made.load(lambda rows, fraction: told.append((rows, fraction)))
    assert told == sorted(told)
    assert told[-1] == (len(made), 1.0)


def test_cache_that_cannot_be_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"file.*cannot be written"):
        source(tmp_path / "file").load()
