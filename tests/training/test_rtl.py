"""``experiment=rtl/unseen_layers``, shrunk: intervals, their pictures, and what the model keeps."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from tests.helpers import gemmini
from tests.helpers_published import Table
from tests.helpers_scripts import Command
from tests.training.conftest import MADE, result_of
from tilegrad.datamodules import feature_rows
from tilegrad.predictors import Pipeline, load_predictor
from tilegrad.predictors.features import feature_set
from tilegrad.schedules import PublishedTable
from tilegrad.training.predictions import LEVELS

SHORT = (
    *("trainer.max_epochs=3", "split.count=2"),
    *("importances=false", "progress=false", "dir=run"),
)


@pytest.fixture
def blank() -> None:
    """Draw the pictures here."""


@pytest.mark.slow
def test_a_run_leaves_intervals_and_their_pictures(
    command: Command, directory: Path, rtl_rows: Table
) -> None:
    source = f"data.source.path={rtl_rows.path}"
    ended = command("experiment=rtl/unseen_layers", "model.members=2", source, *SHORT)
    assert ended.code == 0, ended.err
    run = directory / "run"
    assert {path.name for path in run.glob("*.png")} == {
        "predicted_latency.png",
        "calibration_latency.png",
        "bottlenecks_latency.png",
    }
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in run.glob("*.png"))
    intervals = result_of(run)["intervals"]["latency"]
    tables = [pd.read_parquet(path) for path in run.glob("fold-*/predictions.parquet")]
    table = pd.concat(tables)
    assert len(table) == result_of(run)["rows"] == rtl_rows.figure(1_567, 330)
    shares = [intervals[f"within_{level:.0%}"] for level in LEVELS]
    assert shares == sorted(shares)
    ratio = table["predicted.latency"] / table["measured.latency"]
    larger = ratio.where(ratio > 1, 1 / ratio)
    # The level is in steps of a quarter of a per cent.
    inside = (larger <= table["factor.latency"]).mean()
    assert intervals["within_90%"] == pytest.approx(inside, abs=0.01)
    assert intervals["median_factor_90%"] == pytest.approx(table["factor.latency"].median())
    assert set(table["bottleneck"]) <= {"issue", "load", "execute", "store", "memory"}

    model = load_predictor(run / "model.ckpt", gemmini())
    assert isinstance(model, Pipeline)
    assert (model.settings["members"], model.band.calibrated) == (2, True)
    schedules = PublishedTable("gemmini_rtl", gemmini(), path=str(rtl_rows.path)).load()
    features = feature_rows(schedules, feature_set("commands"), ["latency"]).features
    half, most = (model.half_width(features, level) for level in (0.5, 0.95))
    assert half is not None
    assert most is not None
    assert (half > 0).all()
    assert (half < most).all()
    reached = model.reaching_level(features, half)
    assert reached is not None
    torch.testing.assert_close(reached, torch.full_like(reached, 0.5), rtol=0, atol=0.003)


def test_a_model_without_intervals_says_nothing_of_them(command: Command, directory: Path) -> None:
    ended = command(*MADE, "model=residual", *SHORT)
    assert ended.code == 0, ended.err
    run = directory / "run"
    assert result_of(run)["intervals"] == {}
    assert {path.name for path in run.glob("*.png")} == {
        "predicted_latency.png",
        "bottlenecks_latency.png",
    }
