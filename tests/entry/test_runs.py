"""Whole runs of ``search.py``: what they leave, help, sweeps, interruption and going on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from tests.entry import killed
from tests.entry.conftest import SCRIPT, SMALL, TABLE, script_environment
from tests.helpers_scripts import Command
from tilegrad.commands import search
from tilegrad.entry import plain_overrides
from tilegrad.files import alone
from tilegrad.fingerprint.claim import LOCK
from tilegrad.paths import config_directory

RUN = ("workload=small.csv", *SMALL)
DRAWN = (
    *("workload=small.csv", "strategy=random", "strategy.designs=20"),
    *("report=false", "progress=false"),
)
"""A search of an instant."""


def result(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "result.json").read_text())
    return found


def lasting(found: dict[str, Any]) -> dict[str, Any]:
    """Return what must not depend on time, on interruptions or on the machine.

    What is proven by itself is, until the machine has compiled what proves it.
    """
    varying = {"seconds", "versions", "git", "made_by", "gap", "bound", "unproven"}
    return {name: value for name, value in found.items() if name not in varying}


def test_help_names_groups_and_fields(command: Command) -> None:
    ended = command("--help")
    assert ended.code == 0
    for word in (
        "tilegrad search workload=bert",
        "strategy: bayesian, bayesian_one_loop, cosa, dosa, evolution, exact,",
        "budget:",
        "dir=",
    ):
        assert word in ended.out


def test_merged_layers_keep_their_names(command: Command, directory: Path) -> None:
    (directory / "twice.csv").write_text(TABLE + "again,3,3,8,8,4,8\n")
    random = ("strategy=random", "strategy.designs=20", "progress=false")
    assert command("workload=twice.csv", *random, "dir=run").code == 0
    first, second = result(directory / "run")["layers"]
    assert (first["name"], first["count"], first["names"]) == ("conv", 2, ["conv", "again"])
    assert "names" not in second
    assert "conv, again" in (directory / "run" / "report.html").read_text(encoding="utf-8")


def test_a_run_leaves_its_record_and_prints_a_summary(command: Command, directory: Path) -> None:
    ended = command("workload=small.csv", *SMALL[:-1], "dir=run")
    assert ended.code == 0
    assert "EDP" in ended.out
    files = {path.name for path in (directory / "run").iterdir()}
    assert {"result.json", "history.csv", "config.yaml", "checkpoint.pt", "report.html"} <= files
    found = result(directory / "run")
    assert found["status"] == "complete"
    assert [layer["name"] for layer in found["layers"]] == ["conv", "linear"]
    assert found["edp"] == pytest.approx(found["energy_uj"] * found["cycles"])
    assert not list(directory.rglob("*.tmp"))


def test_without_a_directory_each_run_gets_a_new_one(command: Command, directory: Path) -> None:
    assert command(*DRAWN).code == 0
    (found,) = (directory / "outputs" / "search").rglob("result.json")
    assert found.parents[1].name == "small-gemmini-random"


def test_a_finished_run_is_not_searched_again(command: Command, directory: Path) -> None:
    settings = (*RUN, "progress=false", "dir=run")
    command(*settings)
    first = result(directory / "run")
    assert command(*settings).code == 0
    assert lasting(result(directory / "run")) == lasting(first)


def test_a_directory_in_use_is_refused(command: Command, directory: Path) -> None:
    with alone("dir", directory / "run", LOCK):
        ended = command(*RUN, "progress=false", "dir=run")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "dir=run: another process is at work there" in ended.err
    assert not (directory / "run" / "config.yaml").exists()


def test_a_sweep_gives_each_job_its_directory(command: Command, directory: Path) -> None:
    ended = command("-m", "seed=1,2", *DRAWN, "hydra.sweep.dir=sweep")
    assert ended.code == 0
    assert [result(directory / "sweep" / job)["seed"] for job in ("0", "1")] == [1, 2]


def test_a_sweep_runs_the_jobs_after_a_refused_one(command: Command, directory: Path) -> None:
    ended = command("-m", "seed=-1,2", *DRAWN, "hydra.sweep.dir=sweep")
    assert ended.code == 2
    assert "1 of 2 jobs failed; job 0 (seed=-1): seed is -1" in ended.err
    assert result(directory / "sweep" / "1")["seed"] == 2


def test_a_job_returns_the_metric_that_a_sweep_optimises(directory: Path) -> None:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        arguments = [*DRAWN, "dir=run", "optimized_metric=cycles"]
        config = compose("search", plain_overrides(arguments))
    assert search.main(config) == result(directory / "run")["cycles"]


@pytest.mark.parametrize(
    ("argument", "plain"),
    [
        ("workload=bert", ["workload=bert"]),
        ("workload=a.csv", ["workload=table", "workload.path=a.csv"]),
        ("workload=a.csv,b.csv", ["workload=table", "workload.path=a.csv,b.csv"]),
        ("workload=my net.yml", ["workload=table", "workload.path='my net.yml'"]),
        ("workload=a=b/it's", ["workload=table", r"workload.path='a=b/it\'s'"]),
        ("strategy=3", ["strategy='3'"]),
        ("seed=3", ["seed=3"]),
        ("-m", ["-m"]),
        ("overrides=[strategy=random,seed=3]", ["overrides=['strategy=random','seed=3']"]),
        ("shared=[ 'a=b,c', \"d=e\",caps={x:1}]", ["shared=['a=b,c',\"d=e\",'caps={x:1}']"]),
        ("+designs.mine=[workload=[a,b]]", ["+designs.mine=['workload=[a,b]']"]),
        ("overrides=[]", ["overrides=[]"]),
    ],
)
def test_arguments_in_terms_of_hydra(argument: str, plain: list[str]) -> None:
    assert plain_overrides([argument]) == plain


LONG = (*RUN, "strategy.polish_rows=5000", "progress=false")


@pytest.mark.parametrize("also_killed", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_an_interrupted_run_ends_with_the_answer_of_a_whole_one(
    also_killed: bool, command: Command, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        killed.after_saving(patch.setattr, 2, lambda: signal.raise_signal(signal.SIGINT))
        ended = command(*LONG, "dir=run")
    assert ended.code == 130
    assert ended.err.splitlines()[-1] == "interrupted; to go on: the same command, dir=run"
    interrupted = result(directory / "run")
    assert interrupted["status"] == "interrupted"

    if also_killed:
        script = [sys.executable, killed.__file__, "2", *LONG, "dir=run"]
        environment = script_environment(SCRIPT.parent)
        assert subprocess.run(script, env=environment, check=False).returncode == -signal.SIGKILL
        assert result(directory / "run") == interrupted

    assert command(*LONG, "dir=run").code == 0
    assert command(*LONG, "dir=whole").code == 0
    assert lasting(result(directory / "run")) == lasting(result(directory / "whole"))
    assert result(directory / "run")["edp"] <= interrupted["edp"]
    histories = [(directory / run / "history.csv").read_text() for run in ("run", "whole")]
    runs = [[row.split(",")[::2] for row in text.splitlines()] for text in histories]
    assert runs[0] == runs[1]


def test_ctrl_c_before_a_search_begins_says_so_in_a_line(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "build_runner", Mock(side_effect=KeyboardInterrupt))
    ended = command(*LONG, "dir=run")
    told = "interrupted; to go on: the same command, with its dir=\n"
    assert (ended.code, ended.out, ended.err) == (130, "", told)


def test_warnings_are_said_first_and_kept_with_the_result(
    command: Command, directory: Path
) -> None:
    random = ("strategy=random", "strategy.designs=20", "report=false", "dir=out")
    ended = command("workload=small.csv", "accelerator.energy=accelergy", *random)
    assert ended.code == 0
    assert ended.err.count("warning: the energies of accelerator gemmini do not grow with") == 2
    found = json.loads((directory / "out" / "result.json").read_text())
    assert ["scratchpad_kb" in text for text in found["warnings"]] == [True, False]
    assert "│ warning        │ the energies of accelerator gemmini" in ended.out
