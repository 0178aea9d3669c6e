"""A predictor of the user's own module: trained, evaluated, searched with, and refused by name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.helpers_scripts import Command, Script
from tests.training.conftest import MADE, QUICK

MODULE = """
from tilegrad.predictors import Linear, Predictor


class Halved(Linear):
    kind = "halved"

    def standardised(self, features):
        return super().standardised(features) * 0.5


class Nameless(Predictor):
    def __init__(self, schema, **training):
        super().__init__(schema, {}, **training)


class Forgetful(Linear):
    kind = "forgetful"

    def __init__(self, schema, needed, **training):
        super().__init__(schema, **training)


def made():
    class Inner(Linear):
        kind = "inner"

    return Inner


Inner = made()
"""

MODEL = ("~model", "+model={_target_:my_models.NAME,_partial_:true}", "dir=run")


def model(name: str, *more: str) -> tuple[str, ...]:
    return tuple(text.replace("NAME", name) for text in MODEL) + more


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the module, importable, and work in another one."""
    folder, work = tmp_path / "modules", tmp_path / "work"
    folder.mkdir()
    work.mkdir()
    (folder / "my_models.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "my_models", raising=False)
    monkeypatch.chdir(work)
    return folder


def test_it_is_trained_evaluated_and_searched_with(
    module: Path, command: Command, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = command(*QUICK, *model("Halved"))
    assert ended.code == 0, ended.err
    judging = (*MADE[:2], "ckpt=run/model.ckpt", "plots=false", "dir=judged")
    judged = script("eval", *judging)
    assert judged.code == 0, judged.err
    (Path("small.csv")).write_text("layer,R,S,P,Q,C,K\nconv,3,3,8,8,4,8\n")
    few = ("strategy=random", "strategy.designs=20", "report=false", "workload=small.csv")
    search = (*few, "ckpt=run/model.ckpt")
    found = script("search", *search, "dir=found")
    assert found.code == 0, found.err
    assert '"model": "halved (' in Path("found/result.json").read_text()
    with (module / "my_models.py").open("a") as file:
        file.write("\n\nHalved.standardised = Linear.standardised\n")
    for command_line in (("search", *search, "dir=found"), ("eval", *judging)):
        ended = script(*command_line)
        assert ended.code == 2
        assert "with another predictor (" in ended.err
    monkeypatch.delitem(sys.modules, "my_models")
    (module / "my_models.py").unlink()
    lost = script("search", *search, "dir=lost")
    assert lost.code == 2
    assert "ckpt=run/model.ckpt is of the predictor my_models:Halved, which cannot be" in lost.err
    assert "PYTHONPATH" in lost.err


@pytest.mark.slow
def test_another_content_of_its_module_is_another_run(module: Path, command: Command) -> None:
    assert command(*QUICK, *model("Halved")).code == 0
    assert command(*QUICK, *model("Halved")).code == 0
    with (module / "my_models.py").open("a") as file:
        file.write("\n\nHalved.standardised = Linear.standardised\n")
    ended = command(*QUICK, *model("Halved"))
    assert ended.code == 2
    assert "holds a training with another model._target_ (my_models.Halved, content" in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            model("Nameless"),
            "my_models.Nameless, which has no name; legal: a Predictor with the class attribute "
            "kind",
        ),
        (model("Forgetful", "+model.needed=1"), "my_models.Forgetful, and its checkpoint cannot"),
        (model("Inner"), "cannot be imported"),
    ],
)
def test_what_no_checkpoint_could_hold_is_refused_at_the_start(
    module: Path, command: Command, arguments: tuple[str, ...], words: str
) -> None:
    assert module.is_dir()
    ended = command(*QUICK, *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert not Path("run").exists()
