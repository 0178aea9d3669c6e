"""What was published or measured: facts of the repository, and whole tables where they lie."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from tests.data.take_slices import SLICES

VARIABLE = "TILEGRAD_DATA"
BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
FACTS = Path(__file__).parent / "data"
"""See README.md there."""

GOLDEN = FACTS / "timeloop_golden"
T = TypeVar("T")


@dataclass(frozen=True)
class Table:
    """A published table: the whole one, or the slice of it that the repository holds."""

    path: Path
    whole: bool

    def figure(self, of_whole: T, of_slice: T) -> T:
        """Return what is known of the table that there is."""
        return of_whole if self.whole else of_slice


def data_directory() -> Path:
    """Return where whole tables lie: ``$TILEGRAD_DATA``, else beside the repository."""
    named = os.environ.get(VARIABLE)
    if named and not Path(named).is_dir():
        pytest.fail(f"{VARIABLE}={named} is not a directory")
    return Path(named) if named else BESIDE


def published_table(name: str) -> Table:
    """Return a published table by its name under the published data, else the slice of it."""
    whole = data_directory() / name
    return Table(whole, True) if whole.exists() else Table(FACTS / SLICES[name].name, False)
