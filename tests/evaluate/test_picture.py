"""``--picture``: evaluated costs against references; tables by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers_published import Table
from tilegrad.accelerator import load_accelerator
from tilegrad.errors import DataError
from tilegrad.evaluate import evaluate_table
from tilegrad.evaluate.located import located_table
from tilegrad.report.agreement import agreement

Run = Callable[..., int]


@pytest.fixture
def off(frame: pd.DataFrame, tmp_path: Path) -> Path:
    """Return a table whose cycles are 6: one reference is right, one half, one is missing."""
    frame["target.cycle"] = [6, 12, None]
    frame["target.energy"] = None
    path = tmp_path / "off.csv"
    frame.to_csv(path, index=False)
    return path


def test_a_picture_of_the_references_there_are(
    evaluate: Run, off: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = out.parent / "pictures" / "costs.png"
    assert evaluate(off, "--picture", str(picture)) == 0
    assert f"picture: {picture}" in capsys.readouterr().out
    assert picture.read_bytes().startswith(b"\x89PNG")
    found = evaluate_table(off, load_accelerator("gemmini"), out).accuracy
    accuracy = {name: each for name, each in found.items() if each.count}
    assert list(accuracy) == ["cycles"]
    scatter, distribution = agreement(out, accuracy).axes
    assert scatter.get_title() == "cycles: 2 rows"
    assert scatter.collections[0].get_array().sum() == 2
    assert distribution.get_title() == "50 % within 1 %\nmean 25 %, worst 50 %"
    error, share = distribution.lines[0].get_data()
    # An error of 0 stands at the axis' end; half of the rows are off by no more.
    assert list(zip(error, share, strict=True)) == [(1e-8, 0), (1e-8, 50), (50, 100), (1e3, 100)]


def test_no_picture_without_references(
    evaluate: Run, table: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(table, "--picture", str(out.parent / "costs.png")) == 0
    assert "no picture: the table has no figures to compare with" in capsys.readouterr().out
    assert list(out.parent.iterdir()) == [out]


def test_another_kind_of_picture_is_refused(
    evaluate: Run, table: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(table, "--picture", "costs.jpg") == 2
    assert "'costs.jpg' is no picture (legal: a name that ends in .png)" in capsys.readouterr().err
    assert not out.exists()


def test_a_published_table_by_name(
    timeloop_rows: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not timeloop_rows.whole:
        pytest.skip("needs the whole published table")
    monkeypatch.setenv("TILEGRAD_DATA", str(timeloop_rows.path.parents[1]))
    assert located_table("timeloop_dosa") == timeloop_rows.path
    monkeypatch.chdir(tmp_path)
    own = Path("timeloop_dosa")
    own.touch()
    assert located_table("timeloop_dosa") == own, "a file of that name goes before"


@pytest.mark.parametrize("name", ["timeloop_dos", "gemmini_rtl"])
def test_an_unknown_name_is_refused(name: str) -> None:
    """Rows of ``gemmini_rtl`` were measured on another machine than their columns tell."""
    with pytest.raises(DataError, match=r"unknown table .* \(legal: timeloop_dosa, a file"):
        located_table(name)
