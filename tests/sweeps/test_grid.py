"""Sweeps over all combinations: records, summaries, failing and interrupted jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from tests.helpers_scripts import Command
from tests.sweeps.conftest import QUICK, WHOLE
from tests.sweeps.helpers import ending
from tilegrad.entry import with_sweep_directory
from tilegrad.sweeps.record import read_record

SWEEP = Path("sweep")


@pytest.fixture
def blank() -> None:
    """Draw the pictures here."""


def result(job: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SWEEP / str(job) / "result.json").read_text())
    return found


def status(job: int) -> str:
    record = read_record(SWEEP / str(job))
    assert record is not None
    return record.status


def test_the_summary_holds_every_figure_of_every_job_and_the_range_over_seeds(
    command: Command,
) -> None:
    ended = command("-m", *QUICK, WHOLE, "seed=1,2", "features=raw,analytical")
    assert ended.code == 0, ended.err
    jobs = pd.read_csv(SWEEP / "summary.csv")
    assert list(jobs.job) == list(range(4))
    assert list(jobs.features) == ["raw", "analytical"] * 2
    for number in range(4):
        metrics = result(number)["metrics"]["latency"]
        for name, value in metrics.items():
            assert jobs[f"latency.{name}"][number] == pytest.approx(value, rel=1e-12)
        assert jobs.fit_seconds[number] == result(number)["fit_seconds"]
    seeds = pd.read_csv(SWEEP / "seeds.csv").set_index("features")
    for features, first in (("raw", 0), ("analytical", 1)):
        found = [result(job)["metrics"]["latency"]["mape"] for job in (first, first + 2)]
        row = seeds.loc[features]
        assert row["latency.mape.median"] == pytest.approx(np.median(found))
        assert row["latency.mape.min"] == pytest.approx(min(found))
        assert row["latency.mape.max"] == pytest.approx(max(found))
    text = (SWEEP / "summary.md").read_text()
    assert "| analytical | 2 |" in text
    assert "model=linear" in text
    assert "Failed" not in text
    assert (SWEEP / "summary.png").read_bytes().startswith(b"\x89PNG")


def test_failed_jobs_are_reported_and_the_others_run(command: Command) -> None:
    ended = command("-m", *QUICK, "seed=1,-2,3", ending(3, "raise"))
    assert ended.code == 2
    assert ended.err.splitlines()[-1].startswith("error: 2 of 3 jobs failed; job 1 (seed=-2): seed")
    assert [status(job) for job in range(3)] == ["complete", "failed", "failed"]
    assert result(0)["seed"] == 1
    text = (SWEEP / "summary.md").read_text()
    assert "- job 1 (seed=-2): seed is -2; legal" in text
    assert "- job 2 (seed=3): ZeroDivisionError: no schedule at all (all of it: error.txt)" in text
    assert "in _end" in (SWEEP / "2" / "error.txt").read_text()
    assert "Traceback" not in ended.err


@pytest.mark.slow
def test_the_same_command_again_trains_only_what_is_missing(command: Command) -> None:
    sweep = ("-m", *QUICK, "seed=1,2", ending(2, "interrupt"))
    assert command(*sweep).code == 130
    first = (SWEEP / "0" / "fold-0" / "fold.json").stat().st_mtime_ns
    assert not (SWEEP / "1" / "result.json").exists()
    assert command(*sweep).code == 0
    assert (SWEEP / "0" / "fold-0" / "fold.json").stat().st_mtime_ns == first
    assert result(1)["seed"] == 2


def test_a_directory_where_a_sweep_is_at_work_is_refused(command: Command) -> None:
    SWEEP.mkdir()
    with FileLock(SWEEP / "sweep.lock"):
        ended = command("-m", *QUICK, WHOLE, "seed=1,2")
    assert ended.code == 2
    assert "hydra.sweep.dir=sweep: another process is at work" in ended.err
    assert not (SWEEP / "0").exists()


def sweep_directory(*arguments: str) -> str:
    (found,) = (a for a in with_sweep_directory(arguments, "out") if "hydra.sweep.dir" in a)
    return found


def test_a_sweep_is_named_after_what_it_is_not_after_how_it_runs() -> None:
    one = sweep_directory("-m", "seed=1,2", "model=linear")
    assert one == sweep_directory("--multirun", "model=linear", "seed=1,2", "progress=false")
    assert one == sweep_directory("-m", "seed=1,2", "hydra/launcher=ray", "model=linear")
    assert one != sweep_directory("-m", "seed=1,2,3", "model=linear")
    assert "/out/poster-models-" in sweep_directory("experiment=poster/models")
    assert "/out/poster-" in sweep_directory("experiment=poster/models,poster/pairs")
    assert sweep_directory("-m", "hydra.sweep.dir=x", "seed=1,2") == "hydra.sweep.dir=x"
    assert with_sweep_directory(["-m", "seed=1"], "out")[1].startswith("hydra.sweep.dir=")
