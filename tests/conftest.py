"""Shared pieces of all tests: published tables, scripts run in this process."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path
from typing import Any

import jaxtyping
import pytest
from hydra.core.global_hydra import GlobalHydra
from hypothesis import settings
from matplotlib.figure import Figure

import tests.checked  # noqa: F401 - before all of tilegrad: it checks what is imported then
from tests.helpers_published import Table, published_table
from tests.helpers_scripts import Ended, Script
from tilegrad.application import run as run_application

# How long an example takes says nothing on a machine that does other work as well.
settings.register_profile("tilegrad", deadline=None, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=200)
settings.load_profile("tilegrad")

# Workers share the processors; threads of a worker's own would spin while they wait for each other.
# Nothing has imported torch yet, and processes that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell's background jobs ignore Ctrl-C, and so would what the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# What is imported and collected lasts: looking through it for cycles takes a fifth of that time.
gc.disable()


def pytest_collection_finish() -> None:
    """Spare the collector of cycles the search in what lasts until the end, and most rounds."""
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()


@pytest.fixture(scope="session")
def timeloop_rows() -> Table:
    """Return DOSA's table of Timeloop runs: 72,700 rows, or a slice of them."""
    return published_table("dosa/timeloop_dataset.csv.tar.gz")


@pytest.fixture(scope="session")
def rtl_rows() -> Table:
    """Return DOSA's table of runs on Gemmini's RTL: 1,567 rows, or a slice of them."""
    return published_table("dosa/firesim_training.csv")


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check no signatures: whole searches take a third more with that.

    One search of each strategy's contract is checked, and all that is tested piece by piece.
    """
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture
def blank(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save figures as empty pictures of their sizes: drawing takes longer than most small runs.

    The tests of figures draw them; others do in whose module a fixture of this name does nothing.
    """
    save = Figure.savefig

    def save_empty(figure: Figure, *arguments: Any, **settings: Any) -> None:
        save(Figure(figure.get_size_inches()), *arguments, **settings)

    monkeypatch.setattr(Figure, "savefig", save_empty)


@pytest.fixture
def script(
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    unchecked: None,
    blank: None,
) -> Script:
    """Return a function that runs a Hydra command by name with arguments, as from a shell."""
    assert directory.is_dir()
    assert unchecked is blank is None
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")

    def run(name: str, *arguments: str) -> Ended:
        GlobalHydra.instance().clear()
        capsys.readouterr()
        try:
            code = run_application(name, arguments)
        except SystemExit as ended:
            code = int(str(ended.code or 0))
        return Ended(code, *capsys.readouterr())

    return run


@pytest.fixture
def stranger(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a user who never heard of an account of Weights & Biases, at no terminal."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    # Lightning sets it for the whole process.
    monkeypatch.setenv("WANDB_MODE", "offline")
    for name in ("HOME", "WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR"):
        monkeypatch.setenv(name, str(directory / "home"))
