"""Whole runs of ``compare.py``: table, going on, and what it refuses before anything runs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.helpers_scripts import Command, Script
from tilegrad.commands import compare
from tilegrad.composing import composed
from tilegrad.files import alone
from tilegrad.fingerprint.claim import LOCK
from tilegrad.paths import config_directory

RUN = (
    *(f"~designs.{name}" for name in ("gemmini_cosearched_16", "eyeriss", "nvdla_large")),
    "designs.gemmini_default=['accelerator=gemmini','hardware.pe_dim=2']",
    "workloads=[small.csv]",
    "overrides=['strategy.starts=4','strategy.steps=3','strategy.polish_rows=2000']",
    "dir=out",
)
DRAWN = (
    *(text for text in RUN if "overrides" not in text),
    "overrides=['strategy=random','strategy.designs=20']",
    "progress=false",
)
"""The same comparison by searches of an instant."""

DESIGNS = ["gemmini_cosearched", "gemmini_default", "nvdla_small"]


@pytest.fixture
def comparing(script: Script) -> Command:
    """Return a function that runs ``compare.py`` with arguments."""
    return lambda *arguments: script("compare", *arguments)


def test_one_command_leaves_table_and_plot(comparing: Command, directory: Path) -> None:
    ended = comparing(*RUN)
    assert ended.code == 0
    assert "3 of 3: nvdla_small on small" in ended.err
    assert "geometric" in ended.out
    with (directory / "out" / "comparison.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["design"], row["workload"]) for row in rows] == [(d, "small") for d in DESIGNS]
    for row in rows:
        found = json.loads((directory / "out" / row["design"] / "small/result.json").read_text())
        assert float(row["edp_uj_cycles"]) == found["edp"]
        assert row["status"] == "complete"
        ratio = found["edp"] / float(rows[0]["edp_uj_cycles"])
        assert float(row["edp_relative"]) == pytest.approx(ratio)
    # Free hardware contains the fixed one.
    assert float(rows[1]["edp_relative"]) >= 1
    assert (directory / "out" / "comparison.png").read_bytes().startswith(b"\x89PNG")
    lines = (directory / "out" / "comparison.md").read_text().splitlines()
    first_cells = [line.split(" | ")[0] for line in lines]
    assert first_cells[2:5] == first_cells[8:11] == [f"| {name}" for name in DESIGNS]


def test_overrides_come_on_top_of_what_the_designs_share(
    comparing: Command, directory: Path
) -> None:
    cut = "overrides=['strategy=random','budget.samples=1']"
    ended = comparing(*(text for text in RUN if "overrides" not in text), cut)
    assert ended.code == 0
    for design in DESIGNS:
        text = (directory / "out" / design / "small" / "config.yaml").read_text()
        assert "counting: timeloop-2022" in text
        assert "energy: pat\n" in text
        assert "samples: 1\n" in text
    assert "Every search was cut off" in " ".join(ended.out.split())
    # A terminal of 80 columns holds every name whole.
    assert all(f" {name} " in ended.out for name in DESIGNS)


COMPARED = sorted(
    f"{folder.name}/{path.stem}"
    for folder in (config_directory() / "experiment" / name for name in ("baselines", "dosa"))
    for path in folder.glob("*.yaml")
    if "For compare.py" in path.read_text(encoding="utf-8")
)
"""Experiments of compare.py's."""


@pytest.mark.parametrize("experiment", COMPARED)
def test_every_experiment_has_a_directory_of_its_own_and_a_reference(experiment: str) -> None:
    config = composed("compare", {}, [f"experiment={experiment}"])
    assert config.dir == f"outputs/{experiment}"
    assert config.reference in config.designs
    assert "accelerator" in " ".join([*config.designs[config.reference], *config.shared])


def test_there_are_experiments_of_both_pages() -> None:
    assert {each.split("/")[0] for each in COMPARED} == {"baselines", "dosa"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "spread",
    [
        pytest.param(["spread=ray", "+spread.init.num_cpus=2"], id="ray"),
        pytest.param(["spread=joblib", "spread.jobs=2"], id="joblib"),
    ],
)
def test_searches_on_workers_end_as_those_of_one_process(
    comparing: Command, directory: Path, monkeypatch: pytest.MonkeyPatch, spread: list[str]
) -> None:
    if spread[0] == "spread=ray":
        pytest.importorskip("ray", reason="not installed: pip install 'tilegrad[ray]'")
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "400")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    drawn = [text for text in DRAWN if not text.startswith("dir=")]
    assert comparing(*drawn, "seeds=[0,1]", "dir=here").code == 0
    try:
        ended = comparing(*drawn, "seeds=[0,1]", "dir=on_workers", *spread)
    finally:
        if spread[0] == "spread=ray":
            import ray

            ray.shutdown()
    assert ended.code == 0, ended.err
    tables = []
    for place in ("here", "on_workers"):
        with (directory / place / "comparison.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        tables.append([{**row, "seconds": ""} for row in rows])
        assert (directory / place / "curves.csv").exists()
    assert len(tables[0]) == 2 * len(DESIGNS)
    assert tables[0] == tables[1]


@pytest.mark.slow
def test_every_search_is_run_with_each_seed(comparing: Command, directory: Path) -> None:
    ended = comparing(*DRAWN, "seeds=[3,1]")
    assert ended.code == 0
    with (directory / "out" / "comparison.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["design"], row["seed"]) for row in rows] == [
        (design, seed) for seed in "31" for design in DESIGNS
    ]
    for row in rows:
        found = directory / "out" / row["design"] / "small" / row["seed"] / "result.json"
        assert float(row["edp_uj_cycles"]) == json.loads(found.read_text())["edp"]
    assert (directory / "out" / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_same_command_goes_on(
    comparing: Command, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = compare.searched
    calls: list[str] = []

    def interrupted(job: compare.Job) -> object:
        calls.append(job.design)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return searched(job)

    monkeypatch.setattr(compare, "searched", interrupted)
    assert comparing(*DRAWN).code == 130
    assert not (directory / "out" / "comparison.csv").exists()
    first = directory / "out" / DESIGNS[0] / "small" / "result.json"
    samples, seconds = (json.loads(first.read_text())[name] for name in ("samples", "seconds"))
    assert comparing(*DRAWN).code == 0
    again = json.loads(first.read_text())
    assert (again["samples"], again["seconds"]) == (samples, seconds)
    assert (directory / "out" / "comparison.csv").exists()


WIDE = (
    *("workloads=[wide.csv,dot.csv]", "~designs", "progress=false", "dir=out"),
    "+designs.fits=[accelerator=gemmini,hardware.pe_dim=2]",
    "+designs.never=[accelerator=eyeriss]",
    "overrides=[strategy=random,strategy.designs=2,bound=none]",
)
"""Of the second design's two random mappings of a wide layer none fits Eyeriss."""


@pytest.fixture
def wide(directory: Path) -> Path:
    """Return the directory with tables of a wide layer, and of one whose every mapping fits."""
    (directory / "dot.csv").write_text("layer,P,Q,C,K,R,S\ndot,1,1,2,1,1,1\n")
    (directory / "wide.csv").write_text("layer,P,Q,C,K,R,S\nwide,28,28,64,64,7,7\n")
    return directory


@pytest.mark.usefixtures("unchecked")
def test_a_search_without_a_design_stands_in_the_tables_as_such(
    comparing: Command, wide: Path
) -> None:
    ended = comparing(*WIDE, "reference=fits", "seeds=[0,1]")
    assert ended.code == 0, ended.err
    assert "warning: never on wide, seed 1: no feasible design among 2 samples" in ended.err
    assert "never on wide: no design fits" in " ".join(ended.out.split())
    out = wide / "out"
    with (out / "comparison.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    for row in rows:
        unfit = (row["design"], row["workload"]) == ("never", "wide")
        assert (row["status"] == "no design fits") == (row["edp_uj_cycles"] == "") == unfit
    page = (out / "comparison.md").read_text(encoding="utf-8")
    (never,) = [line for line in page.splitlines() if line.startswith("| never | no design fits (")]
    assert "no design fits (2 samples)" in never
    assert "never on wide, seed 0: no feasible design among 2 samples" in page
    assert "0: no design fits, 1: no design fits" in (out / "seeds.md").read_text("utf-8")
    for name in ("comparison", "curves"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("unchecked")
def test_a_search_without_a_design_is_not_searched_again(comparing: Command, wide: Path) -> None:
    one = (*WIDE[1:], "workloads=[wide.csv]", "seeds=[0]")
    refused = comparing(*one, "reference=never")
    assert refused.code == 2
    reason = refused.err.splitlines()[-1]
    assert reason.startswith("error: never on wide: no feasible design among 2 samples")
    assert "reference is 'never'" in reason
    assert "(legal: fits; what was searched is not searched again)" in reason
    assert not (wide / "out" / "comparison.csv").exists()
    saved = wide / "out" / "never" / "wide" / "0" / "checkpoint.pt"
    before = saved.stat().st_mtime_ns
    assert comparing(*one, "reference=fits").code == 0
    assert saved.stat().st_mtime_ns == before
    assert "no design fits (2 samples)" in (wide / "out" / "comparison.md").read_text("utf-8")


def test_a_design_that_another_process_searches_is_refused(
    comparing: Command, directory: Path
) -> None:
    with alone("dir", directory / "out" / DESIGNS[0] / "small", LOCK):
        ended = comparing(*DRAWN)
    assert ended.code == 2
    assert "another process is at work there" in ended.err


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("reference=gemini", "unknown reference 'gemini' (legal: gemmini_cosearched, "),
        ("workloads=[]", "workloads is empty; legal: at least one name or layer table"),
        ("workloads=3", "workloads is 3; legal: a list of texts"),
        ("designs=3", "designs: unknown option '3' (legal: baselines, bayesian_tried, "),
        ("seeds=[1,1]", "seeds is [1, 1]; legal: a list of different numbers, or null"),
        ("seeds=4", "seeds is 4; legal: a list of different numbers, or null"),
        ("overrides=[3]", "overrides is [3]; legal: a list of texts"),
        ("shared=3", "shared is 3; legal: a list of texts"),
        ("+designs.a-b=['seed=1']", "designs.a-b: legal names: letters, digits and _"),
        ("+designs.y=['caps.pe_dim=0']", "designs.y: caps.pe_dim is 0; legal: a whole number"),
        ("+designs.y=['accelerator=gemmin']", "designs.y: accelerator: unknown option 'gemmin'"),
        ("workloads=[bret]", "unknown option 'bret'"),
        ("+budget=3", "unknown field 'budget' (legal: designs, reference, workloads, "),
    ],
)
def test_bad_input_is_refused_before_anything_runs(
    comparing: Command, directory: Path, argument: str, message: str
) -> None:
    ended = comparing(*[text for text in RUN if argument.split("=")[0] not in text], argument)
    assert ended.code == 2
    assert message in ended.err
    assert not (directory / "out").exists()
