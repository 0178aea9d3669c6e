"""The entry script ``search.py``, run in this process and in an empty directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.helpers_scripts import Command, Script

SCRIPT = Path(__file__).parents[2] / "search.py"

TABLE = "layer,R,S,P,Q,C,K\nconv,3,3,8,8,4,8\nlinear,1,1,4,4,16,32\n"

SMALL = ("strategy.starts=4", "strategy.steps=3", "strategy.polish_rows=2000", "report=false")
"""Settings of a gradient search of a second."""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a directory that holds one small layer table."""
    (tmp_path / "small.csv").write_text(TABLE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(script: Script) -> Command:
    """Return a function that runs ``search.py`` with arguments."""
    return lambda *arguments: script("search", *arguments)


def script_environment(*also: Path) -> dict[str, str]:
    """Return the environment of a real process of the script; ``also`` is where else to import."""
    source = os.pathsep.join(map(str, [SCRIPT.parent / "src", *also]))
    return {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
