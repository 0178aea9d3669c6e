"""eval.py: a checkpoint on other data, judged as in training, without training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from omegaconf import OmegaConf

from tests.helpers_schedules import MadeSchedules
from tests.helpers_scripts import Command, Script
from tests.predictors.helpers import rows, save, trained
from tests.training.conftest import QUICK, result_of, snapshot
from tilegrad.datamodules import feature_rows
from tilegrad.predictors import ranking_metrics
from tilegrad.predictors.features import feature_set

MADE = "tests.helpers_schedules.MadeSchedules"


def data(**settings: object) -> tuple[str, str]:
    node = "".join(f",{name}:{value}" for name, value in settings.items())
    return "data=default", f"data.source={{_target_:{MADE}{node}}}"


@pytest.fixture
def blank() -> None:
    """Draw the pictures here."""


@pytest.fixture
def evaluate(script: Script) -> Command:
    """Return a function that runs ``eval.py`` with arguments."""
    return lambda *arguments: script("eval", *arguments)


@pytest.fixture
def checkpoint(directory: Path) -> str:
    """Write a forest of the made schedules."""
    save(trained("forest"), directory / "forest.ckpt")
    return "ckpt=forest.ckpt"


def test_other_data_are_predicted_and_judged(
    evaluate: Command, checkpoint: str, directory: Path
) -> None:
    ended = evaluate(checkpoint, *data(seed=5, each=3), "dir=there")
    assert ended.code == 0
    assert "data: 90 x row was made up" in ended.err
    assert "saved in there" in ended.out
    other = MadeSchedules(seed=5, each=3)
    features = feature_rows(other.load(), feature_set("analytical"), ["latency"]).features
    predicted = trained("forest")(features).double().numpy()
    table = pd.read_parquet(directory / "there" / "predictions.parquet")
    result = result_of(directory / "there")
    made = other.load()
    for place, target in enumerate(("latency", "energy", "edp")):
        np.testing.assert_allclose(np.log(table[f"predicted.{target}"]), predicted[:, place])
        measured = made.targets[target].numpy()
        np.testing.assert_array_equal(table[f"measured.{target}"], measured)
        groups = {"layer": made.layer.numpy(), "machine": made.machine.numpy()}
        expected = ranking_metrics(predicted[:, place], np.log(measured), groups)
        assert result["metrics"][target] == pytest.approx(expected)
        assert (directory / "there" / f"predicted_{target}.png").stat().st_size > 10_000


def test_rows_outside_the_training_range_are_counted(
    evaluate: Command, checkpoint: str, directory: Path
) -> None:
    assert evaluate(checkpoint, *data(), "dir=same", "plots=false", "progress=false").code == 0
    assert result_of(directory / "same")["rows_outside_training"] == 0
    ended = evaluate(checkpoint, *data(seed=5, each=3), "dir=other", "plots=false")
    result = result_of(directory / "other")
    seen = rows("analytical").features
    asked = feature_rows(
        MadeSchedules(seed=5, each=3).load(), feature_set("analytical"), ["latency"]
    ).features
    # The range is widened by a thousandth.
    out = (asked < seen.amin(0) - 1e-3) | (asked > seen.amax(0) + 1e-3)
    assert result["rows_outside_training"] == int(out.any(1).sum()) > 0
    assert sum(result["columns_outside_training"].values()) == int(out.sum())
    assert f"{int(out.any(1).sum())} of 90 rows lie outside" in ended.out
    table = pd.read_parquet(directory / "other" / "predictions.parquet")
    assert torch.equal(torch.tensor(table.outside_training.to_numpy()), out.any(1))


def test_targets_that_the_data_lack_are_named(evaluate: Command, checkpoint: str) -> None:
    quick = ("plots=false", "dir=there")
    ended = evaluate(checkpoint, *data(energy="false"), *quick)
    assert ended.code == 0
    assert "energy: predicted, but not measured" in ended.out
    assert set(result_of(Path("there"))["metrics"]) == {"latency"}


def test_a_trainings_own_checkpoint_and_data_agree(
    command: Command, evaluate: Command, directory: Path
) -> None:
    """What a training without a test has learnt is what eval.py reads back."""
    assert command(*QUICK, "model=linear", "dir=run").code == 0
    ended = evaluate("ckpt=run/model.ckpt", *data(), "plots=false", "progress=false")
    assert (ended.code, ended.out) == (0, "")
    (found,) = (directory / "outputs" / "eval").iterdir()
    assert found.name.startswith("linear-MadeSchedules-")
    saved = OmegaConf.load(found / "config.yaml")
    assert saved.ckpt == "run/model.ckpt"
    assert result_of(found)["metrics"]["latency"]["pair_accuracy_micro"] > 0.5


BAD = [
    (("ckpt=absent.ckpt",), ("ckpt=absent.ckpt does not exist",)),
    (("ckpt=broken.ckpt",), ("broken.ckpt cannot be read as a checkpoint",)),
    (("ckpt=forest.ckpt", "accelerator=simba"), ("for accelerator gemmini", "on simba")),
    ((), ("ckpt is missing",)),
    (("ckpt=null",), ("ckpt is missing",)),
    (("ckpt=forest.ckpt", "hardware.pe_dim=16"), ("hardware.pe_dim=16 is of searches",)),
    (("ckpt=forest.ckpt", "plots=2"), ("plots is 2", "true, false")),
    (("ckpt=forest.ckpt", "threads=0"), ("threads is 0",)),
    (("ckpt=forest.ckpt", "model=mlp"), ("model is no group", "--help")),
    (("ckpt=forest.ckpt", "optimized_metric=mapf"), ("'mapf'", "nearest: mape")),
    (("ckpt=forest.ckpt", "dir=broken.ckpt"), ("dir=broken.ckpt", "is a file")),
    (("ckpt=energy.ckpt", *data(energy="false")), ("predicts energy", "measure latency")),
]


@pytest.mark.parametrize(("arguments", "names"), BAD, ids=lambda value: value[-1] if value else "")
def test_bad_input_is_refused_in_one_paragraph(
    arguments: tuple[str, ...],
    names: tuple[str, ...],
    evaluate: Command,
    checkpoint: str,
    directory: Path,
) -> None:
    assert (directory / checkpoint.removeprefix("ckpt=")).exists()
    (directory / "broken.ckpt").write_text("no checkpoint")
    save(trained("linear", ("energy",)), directory / "energy.ckpt")
    before = snapshot(directory)
    given = arguments if "data=default" in arguments else (*data(), *arguments)
    ended = evaluate(*given)
    assert ended.code == 2
    assert ended.err.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in ended.err
    for name in names:
        assert name in ended.err
    assert snapshot(directory) == before


def test_another_evaluation_in_the_directory_is_refused(
    evaluate: Command, checkpoint: str, directory: Path
) -> None:
    quick = ("plots=false", "progress=false", "dir=there")
    assert evaluate(checkpoint, *data(), *quick).code == 0
    before = snapshot(directory)
    ended = evaluate(checkpoint, *data(seed=1), *quick)
    assert ended.code == 2
    assert "holds an evaluation with another data.source.seed (None there, 1 here)" in ended.err
    assert snapshot(directory) == before


@pytest.mark.slow
def test_a_sweep_over_data_has_a_summary(
    evaluate: Command, checkpoint: str, directory: Path
) -> None:
    source = ("data=default", f"data.source={{_target_:{MADE}}}")
    ended = evaluate(
        "-m", checkpoint, *source, "+data.source.each=3,4", "hydra.sweep.dir=sweep", "plots=false"
    )
    assert ended.code == 0, ended.err
    table = pd.read_csv(directory / "sweep" / "summary.csv")
    assert table["+data.source.each"].tolist() == [3, 4]
    assert table["latency.pair_accuracy_micro"].between(0, 1).all()
