"""Searches of models, by command and from Python: what is not mapped is said everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import tilegrad
from tests.helpers_scripts import Script
from tests.networks import modules
from tilegrad.errors import ConfigError
from tilegrad.record import read_result

DRAWN = ("strategy.designs=20",)
TOWER = ("workload=torch", "workload.model=tests.networks.modules.Tower")
IMAGE = "workload.input=[1,3,16,16]"


def test_a_command_searches_a_model_and_says_what_it_leaves_out(
    script: Script, directory: Path
) -> None:
    ended = script("search", *TOWER, IMAGE, "strategy=random", *DRAWN, "dir=run", "hydra.run.dir=.")
    assert ended.code == 0, ended.err
    words = " ".join(ended.out.replace("\u2502", " ").split())
    assert "100.0 % of the MACs" in words
    assert "normalises one tensor aten.batch_norm 1" in words
    result = read_result(directory / "run")
    assert result.workload == "Tower"
    assert result.coverage is not None
    assert result.coverage.share == 1
    assert result.coverage.macs == sum(x.count * x.problem.macs for x in result.layers)
    left_out = json.loads((directory / "run/result.json").read_text())["coverage"]["left_out"]
    relu = next(each for each in left_out if each["operator"] == "aten.relu")
    assert relu == {
        "operator": "aten.relu",
        "times": 1,
        "elements": 8 * 8 * 16,
        "reason": "element by element: sums nothing",
        "macs": 0,
    }
    page = (directory / "run/report.html").read_text()
    assert "<h2>Not mapped</h2>" in page
    assert "aten.max_pool2d 1" in page


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ("workload.model is missing",)),
        (("workload.model=tests.networks.modules.Tower",), ("workload.input is missing",)),
        (("workload.model=tests.networks.modules.Cond", "workload.input=[4,4]"), ("cond",)),
        (("workload.modl=x",), ("unknown field 'modl'", "nearest: model")),
    ],
)
def test_a_command_refuses_a_broken_model(
    arguments: tuple[str, ...], words: tuple[str, ...], script: Script
) -> None:
    ended = script("search", "workload=torch", *arguments, "hydra.run.dir=.")
    assert ended.code == 2
    for word in words:
        assert word in ended.err


@pytest.mark.slow
def test_a_module_in_hand_is_searched_as_the_command_does(directory: Path) -> None:
    assert directory.is_dir()
    settings = {"strategy": "random", "report": False}
    mine = {**settings, "overrides": DRAWN, "dir": "mine"}
    run = tilegrad.search(modules.Tower(), torch.zeros(1, 3, 16, 16), **mine)
    overrides = [*DRAWN, "workload.model=tests.networks.modules.Tower", IMAGE]
    same = tilegrad.search("torch", **settings, overrides=overrides)
    assert run.result.layers == same.result.layers
    assert run.result.coverage == same.result.coverage
    assert tilegrad.load("mine").result == run.result
    # The same module goes on; one with other layers, or with another graph, is another run.
    tilegrad.search(modules.Tower(), torch.zeros(1, 3, 16, 16), **mine)
    for other in (modules.Tower(16), _negative()):
        with pytest.raises(ConfigError, match="holds a search with another workload"):
            tilegrad.search(other, torch.zeros(1, 3, 16, 16), **mine)


@pytest.mark.slow
def test_modules_and_options_are_searched_together(directory: Path) -> None:
    (directory / "small.csv").write_text("layer,R,S,P,Q,C,K\nlinear,1,1,4,4,16,32\n")
    run = tilegrad.search(
        ["one:small.csv", modules.Tower(), "small.csv"],
        [None, torch.zeros(1, 3, 16, 16), None],
        strategy="random", report=False,
        overrides=["strategy.designs=20", "workload.weights.Tower=2"],
    )  # fmt: skip
    assert list(run.networks.name) == ["one", "Tower", "small"]
    alone = tilegrad.search(
        modules.Tower(), torch.zeros(1, 3, 16, 16), strategy="random", report=False,
        overrides=["strategy.designs=20"],
    )  # fmt: skip
    together = [x.problem.bounds for x in run.result.layers if x.name.startswith("Tower.")]
    assert together == [x.problem.bounds for x in alone.result.layers]


def _negative() -> torch.nn.Module:
    module = modules.Tower()
    module.head = torch.nn.Sequential(module.head, torch.nn.ReLU())
    return module


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("resnet50", torch.zeros(1)), "inputs are of a torch.nn.Module"),
        ((7,), "workload is a int; legal: a text, a path, a list of these"),
        ((["bert", modules.Tower()], [None]), "inputs of 2 networks have to be a list, one item"),
        (([modules.Tower(), modules.Tower()], [None, None]), "Tower, Tower have one name"),
    ],
)
def test_what_is_no_module_is_refused(arguments: tuple[object, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        tilegrad.search(*arguments)


def test_code_of_ones_own_tells_runs_apart(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tilegrad.fingerprint.parts import config_parts

    monkeypatch.syspath_prepend(directory)
    settings = {"workload": {"model": "my_own_net.Net"}}
    (directory / "my_own_net.py").write_text("width = 4")
    before = config_parts(settings)
    (directory / "my_own_net.py").write_text("width = 8")
    assert config_parts(settings) != before
    (directory / "net.pt2").write_bytes(b"one")
    parts = config_parts({"workload": {"model": "net.pt2"}})
    (directory / "net.pt2").write_bytes(b"two")
    assert config_parts({"workload": {"model": "net.pt2"}}) != parts
