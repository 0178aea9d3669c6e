"""The commands as functions: results, mistakes, and nothing left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra

import tilegrad
from tests.entry.conftest import script_environment
from tests.entry.test_own_files import printed
from tilegrad.errors import ConfigError, TilegradError
from tilegrad.paths import config_directory

pytestmark = pytest.mark.usefixtures("unchecked", "blank")

SMALL = {"starts": 4, "steps": 3, "polish_rows": 2000}


def test_a_search_has_tables_pictures_and_files(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(directory.iterdir())
    run = tilegrad.search("small.csv", accelerator="gemmini", caps={"pe_dim": 8}, strategy=SMALL)
    assert sorted(directory.iterdir()) == before
    assert capsys.readouterr() == ("", "")
    assert list(run.layers["name"]) == ["conv", "linear"]
    assert run.summary["edp"] == run.result.edp
    assert run.summary["pe_dim"] <= 8
    assert run.history["samples"].is_monotonic_increasing
    assert all(png.startswith(b"\x89PNG") for png in run.plots.values())
    page = run._repr_html_()
    assert "linear" in page
    assert page.count("<img") == len(run.plots) > 0
    saved = run.save("kept")
    assert tilegrad.load(saved).result == run.result
    assert any(run.export("timeloop", "timeloop").rglob("*.yaml"))
    with pytest.raises(ConfigError, match=r"'timelop'.*nearest: timeloop"):
        run.export("timelop", "x")


@pytest.mark.slow
def test_a_search_equals_that_of_the_command(directory: Path) -> None:
    assert directory.is_dir()
    given = [f"strategy.{name}={value}" for name, value in SMALL.items()]
    runs = [
        tilegrad.search(Path("small.csv"), report=False, strategy=SMALL, seed=3),
        tilegrad.search("small.csv", report=False, overrides=[*given, "seed=3"], dir="named"),
    ]
    assert runs[1].directory == Path("named")
    assert runs[0].result.edp == runs[1].result.edp
    assert runs[0].result.layers == runs[1].result.layers


def test_hydra_is_left_as_it_was(directory: Path) -> None:
    subprocess.run(["sh", "-c", printed()[0]], check=True, cwd=directory)
    settings = {"strategy": "random", "overrides": ["strategy.designs=20"], "report": False}
    store = json.dumps(sorted(ConfigStore.instance().repo))
    GlobalHydra.instance().clear()
    tilegrad.search("small.csv", accelerator=Path("two_level.yaml"), **settings)
    assert not GlobalHydra.instance().is_initialized()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        mine = GlobalHydra.instance().hydra
        run = tilegrad.search("small.csv", accelerator="two_level.yaml", **settings)
        assert GlobalHydra.instance().hydra is mine
    assert set(run.result.hardware) == {"pes", "buffer_kb"}
    assert json.dumps(sorted(ConfigStore.instance().repo)) == store


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sed": 1}, ("unknown field 'sed'", "nearest: seed")),
        ({"strategy": "gradiant"}, ("'gradiant'", "nearest: gradient")),
        ({"caps": {"pe": 16}}, ("caps", "'pe'", "nearest: pe_dim")),
        ({"seed": -1}, ("seed is -1",)),
        ({"accelerator": Path("no.yaml")}, ("no.yaml", "no such file")),
        ({"strategy": {"stepps": 3}}, ("'stepps'", "nearest: steps")),
    ],
)
def test_a_mistake_is_named(
    settings: dict[str, object], words: tuple[str, ...], directory: Path
) -> None:
    assert directory.is_dir()
    with pytest.raises(TilegradError) as caught:
        tilegrad.search("small.csv", **settings)
    for word in words:
        assert word in str(caught.value)


def test_a_training_and_a_search_by_it(directory: Path) -> None:
    assert directory.is_dir()
    few = {"source": {"machines": 8}}
    run = tilegrad.train(workload="small.csv", model="linear", data=few, split={"count": 2})
    assert run.checkpoint.is_file()
    assert set(run.metrics.index) == {"latency"}
    assert "pair_accuracy_micro" in run._repr_html_()
    assert tilegrad.load(run.save("trained")).result == run.result


@pytest.mark.slow
def test_the_functions_are_found_at_once(directory: Path) -> None:
    code = """
import sys, tilegrad
functions = {"search", "train", "evaluate", "load"}
assert functions <= set(dir(tilegrad))
assert not {"torch", "hydra"} & set(sys.modules)
from hydra.utils import get_class
get_class("tilegrad.search.RandomStrategy")
assert all(callable(getattr(tilegrad, name)) for name in functions)
"""
    subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=directory, env=script_environment()
    )
