"""What cannot change a result goes on with a finished run; what can is refused, by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fingerprint.runs import RUNS, figures, write_inputs
from tests.helpers_scripts import Script
from tests.helpers_slow import slow_but

OTHER = {
    "training": ("seed=3", "seed"),
    "search": ("objective=energy", "objective"),
    "evaluation": ("data.source.skip_invalid=true", "data.source.skip_invalid"),
    "comparison": ("overrides=['objective=energy']", "objective"),
    "sweep": ("targets=[energy]", "targets"),
}
"""Another setting of each kind of run, and its name."""


@pytest.fixture(autouse=True)
def inputs(directory: Path) -> Path:
    """Write all that the runs read into the working directory."""
    write_inputs(directory)
    return directory


def move(path: Path) -> str:
    """Move a file to another place, with another date; return the place."""
    place = Path("else where") / path.name
    place.parent.mkdir(exist_ok=True)
    os.utime(path.rename(place), (0, 0))
    return str(place)


@pytest.mark.parametrize("kind", slow_but(RUNS, "training", "search"))
def test_another_setting_is_refused_and_files_elsewhere_go_on(kind: str, script: Script) -> None:
    run = RUNS[kind]
    assert script(run.command, *run.into("run")).code == 0
    before = figures(Path("run"))
    argument, name = OTHER[kind]
    ended = script(run.command, *run.into("run", argument))
    assert ended.code == 2
    assert f"with another {name} (" in ended.err.splitlines()[-1]
    assert figures(Path("run")) == before
    moved = {}
    for name in ("mine.csv", "small.csv", "model.ckpt", "gemmini.ckpt"):
        moved[name] = move(Path(name))
    arguments = run.into("run", "progress=true")
    for name, place in moved.items():
        arguments = [a if a.startswith("--") else a.replace(name, place) for a in arguments]
    ended = script(run.command, *arguments)
    assert ended.code == 0, ended.err
    assert figures(Path("run")) == before


@pytest.mark.slow
def test_prose_and_threads_do_not_matter(script: Script) -> None:
    random = ("workload=small.csv", "strategy=random", "strategy.designs=20", "report=false",
              "ckpt=gemmini_rtl", "hardware.pe_dim=16", "progress=false", "dir=run")  # fmt: skip
    assert script("search", *random).code == 0
    before = figures(Path("run"))
    ended = script("search", *random, "accelerator.parameters.pe_dim.about=a side of the array")
    assert ended.code == 0, ended.err
    assert figures(Path("run")) == before
    train = RUNS["training"]
    assert script("train", *train.into("train")).code == 0
    before = figures(Path("train"))
    others = ("threads=2", "progress=true", "name=other", "plots=true", "keep_folds=true")
    ended = script("train", *train.into("train", *others))
    assert ended.code == 0, ended.err
    assert figures(Path("train")) == before


def test_a_changed_accelerator_refuses_the_packaged_checkpoint(script: Script) -> None:
    for change in ("arithmetic.energy_pj=1", "levels.1.word_bits=16"):
        ended = script("search", "workload=small.csv", "ckpt=gemmini_rtl", f"accelerator.{change}")
        assert ended.code == 2
        assert "was trained for another description of gemmini" in ended.err


@pytest.mark.slow
def test_result_and_history_agree_after_the_energies_were_multiplied(script: Script) -> None:
    run = RUNS["search"]
    plain = [text for text in run.into("run") if not text.startswith("ckpt")]
    assert script("search", *plain).code == 0
    before = figures(Path("run"))
    path = Path("ert.yaml")
    path.write_text(path.read_text().replace("20.5", "1025").replace("30.25", "1512.5"))
    ended = script("search", *plain)
    assert ended.code == 2
    assert "with another accelerator.energy.ert (content" in ended.err
    assert figures(Path("run")) == before


def test_a_longer_budget_goes_on(script: Script) -> None:
    run = RUNS["search"]
    assert script("search", *run.into("run", "budget.samples=5")).code == 0
    short = figures(Path("run"))["result.json"]
    assert short["status"] == "budget"
    assert script("search", *run.into("run")).code == 0
    longer = figures(Path("run"))["result.json"]
    assert longer["status"] == "complete"
    assert longer["samples"] > short["samples"]
