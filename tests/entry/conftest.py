"""The entry script ``search.py``, run in this process and in an empty directory."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

import search
from tilegrad.entry import run_entry

SCRIPT = Path(search.__file__)

TABLE = "layer,R,S,P,Q,C,K\nconv,3,3,8,8,4,8\nlinear,1,1,4,4,16,32\n"

SMALL = ("strategy.starts=8", "strategy.steps=5", "strategy.polish_rows=20000", "report=false")
"""Settings of a gradient search of a second."""


@dataclass(frozen=True)
class Ended:
    """How a run ended: exit code, and what it printed."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a directory that holds one small layer table."""
    (tmp_path / "small.csv").write_text(TABLE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Return a function that runs ``search.py`` with arguments, as from the command line."""
    assert directory.is_dir()
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")

    def run(*arguments: str) -> Ended:
        GlobalHydra.instance().clear()
        monkeypatch.setattr(sys, "argv", ["search.py", *arguments])
        capsys.readouterr()
        try:
            code = run_entry(search.main)
        except SystemExit as ended:
            code = int(str(ended.code or 0))
        return Ended(code, *capsys.readouterr())

    return run


def script_environment(*also: Path) -> dict[str, str]:
    """Return the environment of a real process of the script; ``also`` is where else to import."""
    source = os.pathsep.join(map(str, [SCRIPT.parent / "src", *also]))
    return {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
