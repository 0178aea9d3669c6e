"""A training's directory belongs to what it read; folds say what made them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers_schedules import MadeSchedules
from tests.helpers_scripts import Command
from tests.training.conftest import figures, result_of, snapshot
from tilegrad.fingerprint import claim
from tilegrad.schedules.export import export_schedules

TRAINING = (
    "data=mine.csv", "model=linear", "split.count=2", "importances=false", "plots=false",
    "progress=false", "dir=run",
)  # fmt: skip


@pytest.fixture
def table(directory: Path) -> Path:
    """Write a table of 120 measurements."""
    export_schedules(MadeSchedules().load(), directory / "mine.parquet")
    pd.read_parquet(directory / "mine.parquet").to_csv(directory / "mine.csv", index=False)
    return directory / "mine.csv"


def test_another_content_of_the_table_is_refused(
    command: Command, table: Path, directory: Path
) -> None:
    assert command(*TRAINING).code == 0
    before = snapshot(directory / "run")
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(lines[:-1]))
    ended = command(*TRAINING)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "dir=run holds a training with another data.source.path (content" in ended.err
    assert snapshot(directory / "run") == before


def test_another_place_of_the_table_goes_on(command: Command, table: Path, directory: Path) -> None:
    assert command(*TRAINING).code == 0
    before = figures(directory / "run")
    (directory / "else where.csv").write_bytes(table.read_bytes())
    table.unlink()
    ended = command("data=else where.csv", *TRAINING[1:], "threads=2")
    assert (ended.code, ended.err) == (0, "")
    assert figures(directory / "run") == before


def test_folds_say_what_made_them(
    command: Command, table: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert table.exists()
    with monkeypatch.context() as patch:
        patch.setattr("tilegrad.provenance.git_revision", lambda: "before")
        assert command(*TRAINING).code == 0
    monkeypatch.setattr("tilegrad.provenance.git_revision", lambda: "today")
    assert command(*TRAINING).code == 0
    found = result_of(directory / "run")
    assert {name: made["git"] for name, made in found["trained_by"].items()} == {
        "fold-0": "before", "fold-1": "before", "refit": "before",
    }  # fmt: skip
    assert found["written_by"]["git"] == "today"


def test_a_fold_of_another_run_is_refused(command: Command, table: Path, directory: Path) -> None:
    assert table.exists()
    assert command(*TRAINING).code == 0
    path = directory / "run" / "fold-0" / "fold.json"
    fold = json.loads(path.read_text())
    fold["made_by"]["fingerprint"] = "another"
    path.write_text(json.dumps(fold))
    ended = command(*TRAINING)
    assert ended.code == 2
    assert "fold-0/fold.json is of another run (fingerprint another there" in ended.err


def test_a_directory_of_another_format_is_refused(
    command: Command, table: Path, directory: Path
) -> None:
    assert table.exists()
    assert command(*TRAINING).code == 0
    path = directory / "run" / "fingerprint.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 0'))
    ended = command(*TRAINING)
    assert ended.code == 2
    assert "dir=run holds a run of format 0" in ended.err
    path.unlink()
    ended = command(*TRAINING)
    assert ended.code == 2
    assert "config.yaml without a fingerprint.json" in ended.err


def test_the_config_is_written_by_the_one_who_works_there(
    command: Command, table: Path, directory: Path
) -> None:
    assert table.exists()
    with claim.alone("dir", directory / "run", claim.LOCK):
        ended = command(*TRAINING)
    assert "another process is at work there" in ended.err
    assert not (directory / "run" / "config.yaml").exists()
