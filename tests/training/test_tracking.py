"""What trackers are told: CSV files, and a run of Weights & Biases without network or account."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pytorch_lightning import Callback

from tests.helpers_scripts import Command
from tests.helpers_wandb import Held, held
from tests.training.conftest import MADE, QUICK, SMALL, result_of

EPOCHS = 3
WITHOUT = "not installed: pip install 'tilegrad[wandb]'"


class Failing(Callback):
    """Ends the training of a seed in its first epoch."""

    def __init__(self, seed: int, fails: int) -> None:
        self.ends = seed == fails

    def on_train_epoch_end(self, *_: Any) -> None:
        """Raise an error of the code."""
        if self.ends:
            raise ZeroDivisionError


@pytest.fixture
def stranger(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a user who never heard of an account, at no terminal."""
    pytest.importorskip("wandb", reason=WITHOUT)
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    # Lightning sets it for the whole process.
    monkeypatch.setenv("WANDB_MODE", "offline")
    for name in ("HOME", "WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR"):
        monkeypatch.setenv(name, str(directory / "home"))


def left_in(directory: Path) -> Held:
    """Return what a run left, when the service, which writes it, has ended as after a process."""
    import wandb

    wandb.teardown()
    return held(directory)


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


def test_without_wandb_its_logger_names_the_extra(
    command: Command, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    ended = command(*MADE, "logger=wandb", "dir=run")
    assert ended.code == 2
    assert "logger=wandb needs the package wandb" in ended.err
    assert "pip install 'tilegrad[wandb]'" in ended.err
    assert not (directory / "run").exists()
