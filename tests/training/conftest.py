"""The entry scripts ``train.py`` and ``eval.py``, run in this process and in an empty directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.helpers_scripts import Command, Script

ROOT = Path(__file__).parents[2]

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


@pytest.fixture
def command(script: Script) -> Command:
    """Return a function that runs ``train.py`` with arguments."""
    return lambda *arguments: script("train", *arguments)


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
