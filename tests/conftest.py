"""Shared pieces of all tests: where the published data lie, scripts run in this process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra
from hypothesis import settings

from tests.helpers_scripts import Ended, Script
from tilegrad.application import run as run_application

# How long an example takes says nothing on a machine that does other work as well.
settings.register_profile("tilegrad", deadline=None)
settings.load_profile("tilegrad")

VARIABLE = "TILEGRAD_DATA"
BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


# A shell's background jobs ignore Ctrl-C, and so would what the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def data_directory() -> Path:
    """Return where the published data lie: ``$TILEGRAD_DATA``, else beside the repository."""
    named = os.environ.get(VARIABLE)
    if named and not Path(named).is_dir():
        pytest.fail(f"{VARIABLE}={named} is not a directory")
    return Path(named) if named else BESIDE


@pytest.fixture(scope="session")
def published() -> Callable[[str], Path]:
    """Return a function from a name under the published data to its path; skips where absent."""

    def find(name: str) -> Path:
        path = data_directory() / name
        if not path.exists():
            pytest.skip(f"published data absent: {name}; name their directory in {VARIABLE}")
        return path

    return find


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def script(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Script:
    """Return a function that runs a Hydra command by name with arguments, as from a shell."""
    assert directory.is_dir()
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
