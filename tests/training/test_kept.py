"""Which epoch a training keeps, on how many rows it was trained, and what it may begin with."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor

from tests.helpers_scripts import Command
from tests.training.conftest import MADE, figures, result_of
from tests.training.killed import at
from tilegrad.training import FoldProgress

ONCE = (*MADE, "split=none", "importances=false", "plots=false", "keep_folds=true")


NONE = [f"callbacks.{name}=null" for name in ("checkpoint", "state", "early_stopping", "progress")]


class KilledError(BaseException):
    """Ends a training as a kill would, as far as its files can tell."""


def weights(path: Path) -> dict[str, Tensor]:
    return dict(torch.load(path, weights_only=True)["state_dict"])


def same(first: Path, second: Path) -> bool:
    here, there = weights(first), weights(second)
    return here.keys() == there.keys() and all(torch.equal(here[k], there[k]) for k in here)


def refit_of(run: Path) -> dict[str, Any]:
    return dict(result_of(run)["refit"])


def test_the_last_epoch_is_kept_where_none_is_watched(command: Command, directory: Path) -> None:
    """Also where it is not one of the epochs whose state is saved."""
    watchless = ("callbacks.checkpoint.monitor=null", "trainer.max_epochs=5", "progress=false")
    assert command(*ONCE, *watchless, "callbacks.state.every_n_epochs=2", "dir=run").code == 0
    assert command(*ONCE, *watchless, "dir=whole").code == 0
    assert refit_of(directory / "run")["kept"] == {"epoch": 5, "by": "the last epoch"}
    assert same(directory / "run" / "model.ckpt", directory / "whole" / "refit" / "last.ckpt")
    assert not same(directory / "run" / "model.ckpt", directory / "run" / "refit" / "last.ckpt")


@pytest.mark.parametrize("monitor", ["val/loss", "train/loss"])
def test_the_best_epoch_is_kept_and_named(monitor: str, command: Command, directory: Path) -> None:
    watched = [f"callbacks.{name}.monitor={monitor}" for name in ("checkpoint", "early_stopping")]
    wild = ("model.optimizer.lr=0.3", "model.scheduler=null", "trainer.max_epochs=6")
    ended = command(*ONCE, *watched, *wild, "dir=run")
    assert ended.code == 0, ended.err
    run = directory / "run"
    best = int(pd.read_csv(run / "refit" / "metrics.csv").groupby("epoch")[monitor].min().idxmin())
    assert best < 5
    assert refit_of(run)["kept"] == {"epoch": best + 1, "by": monitor}
    assert same(run / "model.ckpt", run / "refit" / "best.ckpt")
    assert f"epoch {best + 1} of 6 kept ({monitor})" in ended.err


def test_without_callbacks_the_last_epoch_is_the_model(command: Command, directory: Path) -> None:
    assert command(*ONCE, *NONE, "trainer.max_epochs=2", "dir=run").code == 0
    assert refit_of(directory / "run")["kept"]["epoch"] == 2
    assert (directory / "run" / "model.ckpt").exists()


def test_without_validation_all_rows_train_and_the_last_epoch_is_kept(
    command: Command, directory: Path
) -> None:
    ended = command(*ONCE, "data.validation=0", "trainer.max_epochs=3", "dir=run")
    assert ended.code == 0, ended.err
    assert "data.validation=0: nothing stops a training early, its last epoch is kept" in ended.err
    refit = refit_of(directory / "run")
    assert (refit["train_rows"], refit["held_out_rows"]) == (120, 0)
    assert refit["kept"] == {"epoch": 3, "by": "the last epoch"}


def test_the_refit_says_how_many_rows_it_trained_on(command: Command, directory: Path) -> None:
    """One layer of six is held out, 20 rows; all 120 are neither trained on nor claimed to be."""
    ended = command(*ONCE, "trainer.max_epochs=2", "dir=run")
    refit = refit_of(directory / "run")
    assert (refit["fold"], refit["train_rows"], refit["held_out_rows"]) == ("refit", 100, 20)
    assert (refit["test_rows"], refit["steps"]) == (0, 2 * 4)
    assert "refit: 100 rows trained on, 20 held out, epoch " in ended.err


def test_a_training_begins_with_the_weights_of_a_checkpoint(
    command: Command, directory: Path
) -> None:
    assert command(*ONCE, "trainer.max_epochs=3", "dir=first").code == 0
    still = ("model.optimizer.lr=1e-12", "model.scheduler=null", "trainer.max_epochs=2")
    other = "+data.source.seed=5"
    on = (*ONCE, other, *still, "ckpt=first/model.ckpt", "dir=second")
    assert command(*on).code == 0
    assert refit_of(directory / "second")["epochs"] == 2
    first, second = (weights(directory / run / "model.ckpt") for run in ("first", "second"))
    for name in first:
        if name not in ("lowest", "highest"):
            torch.testing.assert_close(second[name], first[name], rtol=1e-6, atol=1e-6)
    # What it knows is what either training saw.
    assert (second["lowest"] <= first["lowest"]).all()
    assert (second["lowest"] < first["lowest"]).any()


@pytest.mark.slow
def test_a_killed_training_goes_on_in_another_place_with_its_best_epoch(
    command: Command, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill() -> None:
        raise KilledError

    wild = ("model.optimizer.lr=0.3", "model.scheduler=null", "trainer.max_epochs=6")
    with monkeypatch.context() as patch:
        patch.setattr(FoldProgress, "on_train_epoch_start", at("refit", 5, kill))
        with pytest.raises(KilledError):
            command(*ONCE, *wild, "dir=run")
    shutil.move(directory / "run", directory / "moved")
    assert command(*ONCE, *wild, "dir=moved").code == 0
    assert command(*ONCE, *wild, "dir=whole").code == 0
    assert figures(directory / "moved") == figures(directory / "whole")
    moved, whole = (refit_of(directory / run) for run in ("moved", "whole"))
    assert (moved["kept"], moved["resumed"]) == (whole["kept"], True)
    assert same(directory / "moved" / "model.ckpt", directory / "whole" / "model.ckpt")
