"""What trackers are told of searches: each one's run, also in a sweep."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from unittest.mock import Mock

import pandas as pd
import pytest

from tests.entry.conftest import SMALL
from tests.helpers_scripts import Command
from tests.helpers_wandb import events, left_in

SEARCH = ("workload=small.csv", *SMALL, "progress=false")
DRAWN = ("workload=small.csv", "strategy=random", "strategy.designs=20", "progress=false")


ANSWERS = f"""#!{sys.executable}
import re, sys
for begin, key in re.findall(r'"(tilegrad: begin (\\S+) .+?)\\\\n"', open(sys.argv[1]).read()):
    print(begin)
    for cycles in (9000000, 8000000):
        print(f"tilegrad: end {{key}} cycles={{cycles}}")
"""


@pytest.mark.usefixtures("stranger")
def test_trackers_hold_history_design_plots_and_files(command: Command, directory: Path) -> None:
    """And what the target measured, which the report shows too."""
    simulator = directory / "simulator"
    simulator.write_text(ANSWERS)
    simulator.chmod(0o755)
    measured = ("target=gemmini", f"target.simulator={simulator}", "target.verify=false")
    ended = command(*SEARCH, *measured, "report=true", "logger=many", "seed=3", "dir=run")
    assert ended.code == 0, ended.err
    run = directory / "run"
    found, board = left_in(run), events(run)
    result = json.loads((run / "result.json").read_text())
    history = pd.read_csv(run / "history.csv")
    assert found.finished
    assert (found.config["seed"], found.config["strategy"]["starts"]) == (3, 4)
    best = [step["best_edp"] for step in found.history if "best_edp" in step]
    assert best == history.edp.tolist()
    assert [event.step for event in board.Scalars("best_edp")] == history.samples.tolist()
    assert pd.read_csv(run / "metrics.csv").best_edp.tolist() == pytest.approx(best)
    for name in ("edp", "energy_uj", "cycles", "samples"):
        assert found.summary[name] == result[name]
        assert board.Scalars(name)[0].value == pytest.approx(result[name])
    layers = result["layers"]
    cycles = 8e6 * sum(layer["count"] for layer in layers)
    assert {layer["measured_warm_cycles"] for layer in layers} == {8e6}
    assert found.summary["measured/cycles"] == result["measured"]["cycles"] == cycles
    assert found.summary["gemmini/nrows"] == len(layers)
    page = (run / "report.html").read_text()
    assert page.count('<td class="number">8.00 M</td>') == len(layers)
    assert found.summary["hardware/pe_dim"] == result["hardware"]["pe_dim"]
    plots = {path.stem for path in run.glob("*.png")}
    assert plots == set(board.Tags()["images"])
    shown = {name.removesuffix("/path") for name in found.summary if "/path" in name}
    assert plots == shown - {"gemmini"}
    # The other one is the table's.
    (artifact,) = [name for name in found.artifacts if not name.startswith("run-")]
    assert artifact == "small-gemmini-gradient-design"
    files = found.artifacts[artifact]
    assert {"result.json", "history.csv", "config.yaml", "report.html"} <= set(files)
    assert Path(files["result.json"]).samefile(run / "result.json")


@pytest.mark.usefixtures("stranger")
def test_trackers_hold_the_history_of_a_search_that_fails_and_then_all_of_it_once(
    command: Command, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, logged = directory / "run", (*DRAWN, "report=false", "dir=run")
    with monkeypatch.context() as patch:
        patch.setattr("tilegrad.commands.search.write_result", Mock(side_effect=ZeroDivisionError))
        with pytest.raises(ZeroDivisionError):
            command(*logged, "logger=[wandb,tensorboard]")
    found = left_in(run)
    assert not found.finished
    for _ in range(2):
        assert command(*logged, "logger=tensorboard").code == 0
    history = pd.read_csv(run / "history.csv")
    assert [step["best_edp"] for step in found.history] == history.edp.tolist()
    board = events(run)
    assert [event.step for event in board.Scalars("best_edp")] == history.samples.tolist()
    assert len(board.Scalars("edp")) == 1


@pytest.mark.usefixtures("stranger")
@pytest.mark.slow
def test_jobs_of_a_sweep_have_runs_of_their_own(command: Command, directory: Path) -> None:
    jobs = ("-m", "seed=1,2", "hydra.sweep.dir=sweep")
    ended = command(*jobs, *DRAWN, "report=false", "logger=wandb")
    assert ended.code == 0, ended.err
    for job, seed in (("0", 1), ("1", 2)):
        found = left_in(directory / "sweep" / job)
        assert (found.finished, found.config["seed"]) == (True, seed)
        result = json.loads((directory / "sweep" / job / "result.json").read_text())
        assert found.summary["edp"] == result["edp"]


@pytest.mark.usefixtures("stranger")
def test_a_logger_makes_no_other_search(command: Command, directory: Path) -> None:
    assert command(*DRAWN, "report=false", "dir=run").code == 0
    before = json.loads((directory / "run" / "result.json").read_text())
    assert command(*DRAWN, "report=false", "logger=csv", "dir=run").code == 0
    after = json.loads((directory / "run" / "result.json").read_text())
    assert (after["edp"], after["samples"]) == (before["edp"], before["samples"])
