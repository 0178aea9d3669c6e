"""What a sweep makes of other machines' measurements and of measured rounds."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from tilegrad.report.measured_curves import CURVE
from tilegrad.report.transfer import TRANSFER
from tilegrad.sweeps.record import COMPLETE, JobRecord
from tilegrad.sweeps.summary import Sweep, summarise

pytestmark = pytest.mark.usefixtures("blank")


def swept(directory: Path, name: str, tables: dict[str, pd.DataFrame]) -> str:
    """Return the summary of jobs that left tables; they are by overrides, of seeds."""
    for number, (overrides, table) in enumerate(tables.items()):
        place = directory / str(number)
        record = JobRecord(number, tuple(overrides.split()), str(place), status=COMPLETE)
        record.write(place)
        table.to_csv(place / name, index=False)
    summarise(Sweep.read(directory, "edp"), Console(quiet=True))
    return (directory / "summary.md").read_text()


def test_draws_of_all_seeds_are_pooled(tmp_path: Path) -> None:
    def drawn(*errors: float) -> pd.DataFrame:
        rows = [
            {"machine": "warm", "measurements": 40, "draw": draw, "mape": error}
            for draw, error in enumerate(errors)
        ]
        return pd.DataFrame([{**rows[0], "measurements": 0}, *rows])

    text = swept(tmp_path, TRANSFER, {"seed=1": drawn(0.1, 0.25), "seed=2": drawn(0.5, 0.125)})
    assert "| warm | 0 | 2 | 30.0 (10.0 to 50.0) |" in text
    assert "| warm | 40 | 4 | 18.8 (10.0 to 50.0) |" in text
    pooled = pd.read_csv(tmp_path / "transfer.csv")
    assert (len(pooled), set(pooled.seed)) == (6, {1, 2})
    assert (tmp_path / "transfer.png").read_bytes().startswith(b"\x89PNG")


def test_choices_of_measured_programs_stand_side_by_side(tmp_path: Path) -> None:
    def curve(first: int, *values: float) -> pd.DataFrame:
        counts = range(first, first + len(values))
        rounds = [1 if count <= 4 else 2 for count in counts]
        return pd.DataFrame({"measurements": counts, "round": rounds, "edp": values})

    text = swept(
        tmp_path,
        CURVE,
        {
            "measure.choice=search seed=1": curve(3, 9.0, 8.0, 8.0, 7.0),
            "measure.choice=search seed=2": curve(4, 6.0, 6.0),
            "measure.choice=random seed=1": curve(3, 9.0, 9.0, 5.0, 5.0),
        },
    )
    assert "| measure.choice=search | 1 | 4 | 2 | 7 (6 to 8) |" in text
    assert "| measure.choice=search | 2 | 5.5 (5 to 6) | 2 | 6.5 (6 to 7) |" in text
    assert "| measure.choice=random | 2 | 6 | 1 | 5 |" in text
    assert (tmp_path / "measured.png").read_bytes().startswith(b"\x89PNG")
    assert pd.read_csv(tmp_path / "measured.csv").setting.nunique() == 2


def test_machines_that_were_tested_stand_in_a_table(tmp_path: Path) -> None:
    def folds(names: list[str], *right: float) -> pd.DataFrame:
        return pd.DataFrame({"fold": names, "pair_accuracy_micro": right})

    two = ["pe_dim=2 -> pe_dim=4", "pe_dim=4 -> pe_dim=2"]
    text = swept(
        tmp_path,
        "folds_latency.csv",
        {
            "model=linear seed=1": folds(two, 0.9, 0.5),
            "model=linear seed=2": folds(two, 0.8, 0.7),
            "model=roofline seed=1": folds(two, 1.0, 0.95),
            "model=forest seed=1": folds(["pe_dim=4"], 0.25),
            "model=mlp seed=1": folds(["1 of 10"], 0.125),
        },
    )
    assert "| pairs in the right order, % | model=linear | model=roofline |" in text
    assert "| pe_dim=2 -> pe_dim=4 | 85.0 (80.0 to 90.0) | 100.0 |" in text
    # Of each seed the mean over the machines: 70 and 75.
    assert "| mean | 72.5 (70.0 to 75.0) | 97.5 |" in text
    assert "| pe_dim=4 | 25.0 |" in text
    # Folds of layers are others with each seed.
    assert "1 of 10" not in text
    assert len(pd.read_csv(tmp_path / "machines.csv")) == 6
    assert len(pd.read_csv(tmp_path / "machines-1.csv")) == 1
