"""The published figures, row by row, and how errors are summed up."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from tests.helpers_published import Table
from tilegrad.accelerator import load_accelerator
from tilegrad.evaluate import Accuracy, Summary, evaluate_table


@pytest.fixture(scope="module")
def result(
    timeloop_rows: Table, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Summary, pd.DataFrame]:
    """Return the evaluation of the dataset."""
    out = tmp_path_factory.mktemp("published") / "out.parquet"
    summary = evaluate_table(timeloop_rows.path, load_accelerator("gemmini"), out)
    return summary, pd.read_parquet(out)


def test_every_published_row_is_legal(
    result: tuple[Summary, pd.DataFrame], timeloop_rows: Table
) -> None:
    summary, frame = result
    rows = timeloop_rows.figure(72_700, 374)
    assert summary.rows == summary.evaluated == len(frame) == rows
    assert frame["row"].tolist() == list(range(1, rows + 1))


@pytest.mark.parametrize(
    ("name", "column"), [("cycles", "target.cycle"), ("energy", "target.energy")]
)
def test_published_rows_are_met(
    result: tuple[Summary, pd.DataFrame], name: str, column: str
) -> None:
    summary, frame = result
    values = frame["cycles" if name == "cycles" else "energy_uj"]
    errors = (values / frame[column] - 1).abs()
    # The published values carry 6 to 7 digits.
    assert errors.max() < 1e-5
    accuracy = summary.accuracy[name]
    assert accuracy.count == len(frame)
    assert accuracy.shares == {1e-5: 1.0, 1e-4: 1.0, 1e-2: 1.0}
    assert accuracy.worst is not None
    assert abs(accuracy.worst.error) == errors.max()
    assert accuracy.worst.row == errors.argmax() + 1
    assert accuracy.worst.mapping == frame["mapping.mapping"][errors.argmax()]
    assert accuracy.mean == pytest.approx(errors.mean())


def test_published_edp_is_met(result: tuple[Summary, pd.DataFrame]) -> None:
    summary, frame = result
    assert (frame["edp"] / 1e6 / frame["target.edp"] - 1).abs().max() < 1e-5
    assert summary.accuracy["edp"].shares[1e-5] == 1.0


def accuracy_of(*chunks: list[float]) -> Accuracy:
    accuracy, start = Accuracy(), 1
    for errors in chunks:
        rows = np.arange(start, start + len(errors))
        accuracy.add(np.array(errors), rows, [f"m{row}" for row in rows])
        start += len(errors)
    return accuracy


def test_errors_are_summed_up_over_chunks() -> None:
    accuracy = accuracy_of([1e-5, -2e-4, math.nan], [5e-3, 0.0], [math.nan])
    assert (accuracy.count, accuracy.without_reference) == (4, 2)
    assert accuracy.shares == {1e-5: 0.5, 1e-4: 0.5, 1e-2: 1.0}
    assert accuracy.mean == pytest.approx((1e-5 + 2e-4 + 5e-3) / 4)
    assert accuracy.median == pytest.approx(1e-5, rel=0.006)
    assert accuracy.worst is not None
    assert (accuracy.worst.row, accuracy.worst.mapping, accuracy.worst.error) == (4, "m4", 5e-3)


def test_without_any_reference() -> None:
    accuracy = accuracy_of([math.nan])
    assert accuracy.worst is None
    assert math.isnan(accuracy.mean)
    assert math.isnan(accuracy.median)
    assert all(math.isnan(share) for share in accuracy.shares.values())


@pytest.mark.parametrize("size", [0.0, 1e-20, 3e-9, 0.02, 7.0])
def test_median_bins(size: float) -> None:
    median = accuracy_of([size, -size, size]).median
    assert median == pytest.approx(size if size > 1e-16 else 0.0, rel=0.006)
