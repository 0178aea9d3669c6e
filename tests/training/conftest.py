"""The entry scripts ``train.py`` and ``eval.py``, run in this process and in an empty directory."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra.core.global_hydra import GlobalHydra

import train
from tests.entry.conftest import Ended
from tilegrad.entry import run_entry

ROOT = Path(train.__file__).parent

SOURCE = "{_target_:tests.helpers_schedules.MadeSchedules}"

MADE = ("data=default", f"data.source={SOURCE}", "data.batch_size=32")
"""120 made schedules: 6 layers, 5 machines, 4 mappings of each."""

SMALL = (*MADE, "split.count=2", "trainer.max_epochs=3", "progress=false")

QUICK = (*SMALL, "importances=false", "plots=false")
"""Settings of a training of a second."""

SHRUNK = {
    "forest": ("model.trees=10", "model.workers=1"),
    "reuse": ("model.terms=3", "model.hidden=[8]"),
}
"""Smaller models where the packaged ones take long."""

Command = Callable[..., Ended]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def script(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Return a function that runs a script's Hydra entry with arguments, as from a shell."""
    assert directory.is_dir()
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")

    def run(main: Callable[[], object], *arguments: str) -> Ended:
        GlobalHydra.instance().clear()
        monkeypatch.setattr(sys, "argv", ["script.py", *arguments])
        capsys.readouterr()
        return Ended(run_entry(main), *capsys.readouterr())

    return run


@pytest.fixture
def command(script: Callable[..., Ended]) -> Command:
    """Return a function that runs ``train.py`` with arguments."""
    return lambda *arguments: script(train.main, *arguments)


def result_of(directory: Path) -> dict[str, Any]:
    """Return the content of a run's result.json."""
    return dict(json.loads((directory / "result.json").read_text()))


def figures(directory: Path) -> dict[str, Any]:
    """Return what must be equal in equal runs: metrics of the run and of every fold."""
    folds = sorted(directory.glob("*/fold.json"))
    found: dict[str, Any] = {"run": result_of(directory)["metrics"]}
    for path in folds:
        fold = json.loads(path.read_text())
        found[path.parent.name] = {name: fold.get(name) for name in ("metrics", "epochs")}
    return found


def snapshot(directory: Path) -> dict[str, bytes]:
    """Return all files below a directory with their content."""
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else b""
        for path in directory.rglob("*")
    }
