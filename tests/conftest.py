"""Shared pieces of all tests: where the published data lie."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

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
