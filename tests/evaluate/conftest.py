"""A small table whose costs are known by hand, and a way to run the command on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

from tilegrad import cli

MAPPING = "L3[WIO] N1 - L2[WI] N1 K2X - L1[O] N1 C2X - L0[W] P4"
ROW = {
    "mapping.mapping": MAPPING,
    **{"prob.R": 1, "prob.S": 1, "prob.P": 4, "prob.Q": 1, "prob.C": 2, "prob.K": 2, "prob.N": 1},
    **{"prob.Wstride": 1, "prob.Hstride": 1, "prob.Wdilation": 1, "prob.Hdilation": 1},
    # A 2 x 2 array, 1 KB of scratchpad, 1 KB of accumulator.
    **{"arch.meshX": 2, "arch.mem1_depth": 128, "arch.mem2_depth": 512},
}


@pytest.fixture
def frame() -> pd.DataFrame:
    """Return three equal rows; columns of type object, so that a cell can hold anything."""
    rows: pd.DataFrame = pd.DataFrame([ROW] * 3).astype(object)
    return rows


@pytest.fixture
def table(tmp_path: Path, frame: pd.DataFrame) -> Path:
    """Return a written table of three rows."""
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return where results go."""
    return tmp_path / "results" / "out.parquet"


@pytest.fixture
def evaluate(out: Path) -> Callable[..., int]:
    """Return a function that runs ``tilegrad evaluate`` and returns its exit code."""
    out.parent.mkdir()

    def run(table: Path, *options: str, accelerator: str = "gemmini", to: Path = out) -> int:
        arguments: Sequence[str] = ["--accelerator", accelerator, "--out", str(to), *options]
        return cli.main(["evaluate", str(table), *arguments])

    return run


@pytest.fixture
def refused(
    evaluate: Callable[..., int], out: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., None]:
    """Return a function that checks for exit code 2, one paragraph with the words, no files."""

    def check(table: Path, *words: str, **options: object) -> None:
        assert evaluate(table, **options) == 2
        message = capsys.readouterr().err
        assert message.startswith("error: ")
        assert message.count("\n") == 1
        missing = [word for word in words if word not in message]
        assert not missing, f"{missing} not in: {message}"
        assert list(out.parent.iterdir()) == []

    return check
