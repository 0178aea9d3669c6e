"""What trackers are told: CSV files, and a run of Weights & Biases without network or account."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pytorch_lightning import Callback

from tests.helpers_scripts import Command
from tests.helpers_wandb import Held, events, left_in
from tests.training.conftest import QUICK, SMALL, result_of
from tilegrad.tracking.account import wandb_logger

EPOCHS = 3


class Failing(Callback):
    """Ends the training of a seed in its first epoch."""

    def __init__(self, seed: int, fails: int) -> None:
        self.ends = seed == fails

    def on_train_epoch_end(self, *_: Any) -> None:
        """Raise an error of the code."""
        if self.ends:
            raise ZeroDivisionError


def logged(run: Held, name: str) -> list[float]:
    return [step[name] for step in run.history if name in step]


@pytest.mark.usefixtures("stranger")
def test_wandb_holds_config_curves_metrics_pictures_and_checkpoint(
    command: Command, directory: Path
) -> None:
    ended = command(*SMALL, "model=mlp", "logger=many", "seed=7", "dir=run")
    assert ended.code == 0, ended.err
    found, run = left_in(directory / "run"), directory / "run"
    assert found.finished
    assert found.config["seed"] == 7
    assert found.config["model"]["hidden"] == [64, 32, 16, 4]
    assert found.config["features"] == "analytical"
    for fold in ("fold-0", "fold-1", "refit"):
        epochs = pd.read_csv(run / fold / "metrics.csv")
        for name in ("train/loss", "val/loss"):
            assert logged(found, f"{fold}-{name}") == pytest.approx(epochs[name].dropna().tolist())
            assert len(logged(found, f"{fold}-{name}")) == EPOCHS
    for name, value in result_of(run)["metrics"]["latency"].items():
        assert found.summary[f"latency/{name}"] == value
    (offline,) = run.glob("wandb/offline-run-*")
    for name in ("predicted_latency", "importances"):
        picture = offline / "files" / found.summary[f"{name}/path"]
        assert picture.read_bytes() == (run / f"{name}.png").read_bytes()
    ((artifact, files),) = found.artifacts.items()
    assert artifact == f"{found.config['name']}-model"
    assert Path(files["model.ckpt"]).samefile(run / "model.ckpt")


@pytest.mark.usefixtures("stranger")
@pytest.mark.slow
def test_jobs_of_a_sweep_have_runs_of_their_own_even_after_a_failure(
    command: Command, directory: Path
) -> None:
    failing = f"+callbacks.failing={{_target_:{__name__}.Failing,seed:${{seed}},fails:1}}"
    ended = command("-m", *QUICK, "refit=false", "model=mlp", "logger=wandb", "seed=1,2",
                    "hydra.sweep.dir=sweep", failing)  # fmt: skip
    assert ended.code == 2
    assert "1 of 2 jobs failed; job 0 (seed=1): ZeroDivisionError" in ended.err
    first, second = (left_in(directory / "sweep" / job) for job in "01")
    assert not first.finished
    assert second.finished
    assert (first.config["seed"], second.config["seed"]) == (1, 2)


def test_csv_holds_every_epoch_of_every_fold(command: Command, directory: Path) -> None:
    assert command(*QUICK, "model=mlp", "logger=csv", "dir=run").code == 0
    for fold in ("fold-0", "fold-1", "refit"):
        table = pd.read_csv(directory / "run" / fold / "metrics.csv")
        losses = table[["epoch", "val/loss"]].dropna()
        assert losses.epoch.tolist() == list(range(EPOCHS))
        assert (losses["val/loss"] > 0).all()


@pytest.mark.usefixtures("stranger")
@pytest.mark.slow
def test_tensorboard_holds_curves_metrics_and_pictures(command: Command, directory: Path) -> None:
    for _ in range(2):
        # The second reads what the first trained, and shows no figure twice.
        assert command(*SMALL, "model=mlp", "logger=tensorboard", "dir=run").code == 0
    run = directory / "run"
    for fold in ("fold-0", "fold-1", "refit"):
        assert len(events(run / fold).Scalars("val/loss")) == EPOCHS
    found = events(run)
    for name, value in result_of(run)["metrics"]["latency"].items():
        (event,) = found.Scalars(f"latency/{name}")
        assert event.value == pytest.approx(value)
    assert set(found.Tags()["images"]) == {"predicted_latency", "importances"}


@pytest.mark.usefixtures("stranger")
def test_no_account_is_ever_asked_for(
    command: Command, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.setenv("NETRC", str(directory / "absent"))
    ended = command(*QUICK, "logger=wandb", "logger.wandb.offline=false", "dir=run")
    assert (ended.code, ended.err.count("error: ")) == (2, 1)
    assert "no account is known; legal: logger.wandb.offline=true" in ended.err
    assert wandb_logger()._offline
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    assert not wandb_logger()._offline
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert wandb_logger()._offline
