"""Whole trainings: files, figures, repeatability, every model and protocol, going on."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from tests.helpers import gemmini
from tests.helpers_published import Table
from tests.helpers_scripts import Command
from tests.helpers_slow import slow_but
from tests.training.conftest import MADE, QUICK, SHRUNK, SMALL, figures, result_of
from tilegrad.commands import train
from tilegrad.paths import config_directory
from tilegrad.predictors import METRICS, load_predictor, ranking_metrics


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (config_directory() / group).glob("*.yaml"))


def model(name: str) -> tuple[str, ...]:
    return (f"model={name}", *SHRUNK.get(name, ()))


def test_a_run_leaves_metrics_tables_pictures_and_a_checkpoint(
    command: Command, directory: Path
) -> None:
    ended = command(*SMALL, "dir=run", "targets=[latency,edp]", "progress=true")
    assert ended.code == 0
    assert "data: 120 x row was made up" in ended.err
    assert "1 of 2: 60 rows tested" in ended.err
    assert "saved in run" in ended.out
    run = directory / "run"
    pictures = {path.name for path in run.glob("*.png")}
    assert pictures == {"predicted_latency.png", "predicted_edp.png", "importances.png"}
    result = result_of(run)
    assert set(result["metrics"]) == {"latency", "edp"}
    assert all(set(metrics) == set(METRICS) for metrics in result["metrics"].values())
    assert (result["folds"], result["rows"], result["findings"]) == (
        2,
        120,
        ["120 x row was made up; first: row 1"],
    )
    assert not list(run.glob("*/*.ckpt"))
    for target in ("latency", "edp"):
        table = pd.read_csv(run / f"folds_{target}.csv")
        assert table.fold.tolist() == ["1 of 2", "2 of 2"]
        assert table.test_rows.sum() == 120
    predictor = load_predictor(Path(result["checkpoint"]), gemmini())
    assert predictor.schema.targets == ("latency", "edp")
    assert set(result["importances"]) == {"permutation"}


def test_the_metrics_are_those_of_the_predictions(command: Command, directory: Path) -> None:
    assert command(*QUICK, "dir=run", "model=linear").code == 0
    tables = [pd.read_parquet(path) for path in (directory / "run").glob("*/predictions.parquet")]
    table = pd.concat(tables)
    assert sorted(table.row) == list(range(120))
    from tests.helpers_schedules import MadeSchedules

    made = MadeSchedules().load()
    measured = made.targets["latency"].numpy()[table.row]
    np.testing.assert_array_equal(table["measured.latency"], measured)
    expected = ranking_metrics(
        np.log(table["predicted.latency"].to_numpy()),
        np.log(measured),
        {"layer": made.layer.numpy()[table.row], "machine": made.machine.numpy()[table.row]},
    )
    assert result_of(directory / "run")["metrics"]["latency"] == pytest.approx(expected)


@pytest.mark.parametrize("name", slow_but(options("model"), "forest", "mlp"))
def test_every_model_trains_and_two_runs_agree(
    name: str, command: Command, directory: Path
) -> None:
    for run in ("first", "second"):
        assert command(*QUICK, *model(name), f"dir={run}").code == 0
    assert figures(directory / "first") == figures(directory / "second")
    first, second = (
        torch.load(directory / run / "model.ckpt", weights_only=True)["state_dict"]
        for run in ("first", "second")
    )
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.slow
def test_another_seed_gives_another_result(command: Command, directory: Path) -> None:
    for seed in (0, 1):
        assert command(*QUICK, f"seed={seed}", f"dir=run{seed}").code == 0
    assert figures(directory / "run0") != figures(directory / "run1")


@pytest.mark.parametrize("name", options("model"))
def test_debug_runs_one_batch_of_every_model(name: str, command: Command, directory: Path) -> None:
    assert command(*QUICK, *model(name), "debug=fdr", "dir=run").code == 0
    result = result_of(directory / "run")
    assert (result["folds"], result["refit"]["epochs"]) == (2, 1)
    assert result["checkpoint"] is None or Path(result["checkpoint"]).exists()


@pytest.mark.parametrize("name", options("split"))
def test_every_protocol_runs(name: str, command: Command, directory: Path) -> None:
    folds = {"machine_pairs": 20, "four_to_one": 5, "unseen_networks": 2, "none": 0}
    count = () if name in folds else ("split.count=2",)
    arguments = (*MADE, f"split={name}", *count, "debug=fdr", "model=linear", "dir=run")
    assert command(*arguments, "progress=false", "importances=false", "plots=false").code == 0
    result = result_of(directory / "run")
    assert result["folds"] == folds.get(name, 2)
    assert bool(result["metrics"]) == (name != "none")


def test_a_model_can_overfit_a_few_batches(command: Command, directory: Path) -> None:
    short = ("debug=overfit", "trainer.max_epochs=2", "split=none", *QUICK[:3], "dir=run")
    assert command(*short, "progress=false").code == 0
    assert result_of(directory / "run")["refit"]["epochs"] == 2


def test_a_slurm_on_the_machine_is_no_remark_to_us(
    command: Command, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    srun = directory / "bin" / "srun"
    srun.parent.mkdir()
    srun.write_text("#!/bin/sh\n")
    srun.chmod(0o755)
    monkeypatch.setenv("PATH", f"{srun.parent}{os.pathsep}{os.environ['PATH']}")
    ended = command(*QUICK, "model=linear", "dir=run")
    assert (ended.code, "srun" in ended.err) == (0, False)


def test_a_profile_tells_the_time_of_batches(command: Command, directory: Path) -> None:
    short = ("debug=profile", "split=none", "importances=false", "plots=false", "progress=false")
    assert command(*MADE, *short, "dir=run").code == 0
    profile = (directory / "run" / "refit" / "fit-profile.txt").read_text()
    assert "train_dataloader_next" in profile
    assert "optimizer_step" in profile


def test_the_entry_returns_the_metric_that_a_sweep_optimises(directory: Path) -> None:
    arguments = [*QUICK, "model=linear", "dir=run", "optimized_metric=mape"]
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(config_directory()), version_base="1.3"):
        config = compose("train", arguments)
    assert train.main(config) == result_of(directory / "run")["metrics"]["latency"]["mape"]


def test_a_finished_run_is_only_read_again(command: Command, directory: Path) -> None:
    assert command(*QUICK, "dir=run").code == 0
    before = {path: path.stat().st_mtime_ns for path in directory.glob("run/*/fold.json")}
    assert command(*QUICK, "dir=run").code == 0
    assert before == {path: path.stat().st_mtime_ns for path in directory.glob("run/*/fold.json")}
    assert len(before) == 3


def test_what_a_training_stopped_early_stays_stopped(command: Command, directory: Path) -> None:
    """A run killed when its patience had just been used up must not train on."""
    patient = ("callbacks.early_stopping.patience=1", "+callbacks.early_stopping.min_delta=9")
    settings = (*QUICK[:3], "split=none", *patient, "keep_folds=true", "trainer.max_epochs=9")
    end = ("importances=false", "progress=false", "dir=run")
    assert command(*settings, *end).code == 0
    run = directory / "run"
    first = (run / "model.ckpt").read_bytes()
    assert result_of(run)["refit"]["epochs"] == 2
    (run / "refit" / "fold.json").unlink()
    assert command(*settings, *end).code == 0
    again = result_of(run)["refit"]
    assert (again["epochs"], again["resumed"]) == (2, True)
    assert (run / "model.ckpt").read_bytes() == first


def test_published_rows_train(command: Command, directory: Path, rtl_rows: Table) -> None:
    data = ("data=gemmini_rtl", f"data.source.path={rtl_rows.path}")
    arguments = (*data, "model=linear", "split=unseen_layers", "dir=run")
    ended = command(*arguments, "progress=false", "importances=false", "plots=false")
    assert ended.code == 0
    result = result_of(directory / "run")
    assert result["rows"] == rtl_rows.figure(1_567, 330)
    # Better than chance on layers never seen, worse than the machine itself.
    assert 0.7 < result["metrics"]["latency"]["pair_accuracy_micro"] < 1
