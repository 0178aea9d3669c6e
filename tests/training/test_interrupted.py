"""Trainings that are stopped by Ctrl-C or killed go on, and end as if they had not been."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch

from tests.helpers_scripts import Command
from tests.training import killed
from tests.training.conftest import QUICK, ROOT, figures
from tilegrad.entry import INTERRUPTED
from tilegrad.files import alone
from tilegrad.fingerprint.claim import LOCK
from tilegrad.training import FoldProgress
from tilegrad.training.interrupts import plain_interrupts

LONG = (*QUICK, "trainer.max_epochs=4")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where a whole run is kept for the tests of this module."""
    return tmp_path_factory.mktemp("kept") / "whole"


@pytest.fixture
def whole(command: Command, kept: Path) -> Path:
    """Return the directory of a run of ``QUICK`` that nothing interrupted."""
    if not kept.exists():
        assert command(*QUICK, f"dir={kept}").code == 0
    return kept


class KilledError(BaseException):
    """Ends a training as a kill would, as far as its files can tell."""


@pytest.mark.slow
def test_a_killed_process_goes_on_to_the_end_of_one_that_was_not(
    command: Command, directory: Path
) -> None:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    ended = subprocess.run(
        [sys.executable, killed.__file__, "fold-1", "2", *LONG, "dir=run"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    run = directory / "run"
    assert (run / "fold-0" / "fold.json").exists()
    assert not (run / "fold-1" / "fold.json").exists()
    first = (run / "fold-0" / "fold.json").stat().st_mtime_ns
    assert command(*LONG, "dir=run").code == 0
    assert (run / "fold-0" / "fold.json").stat().st_mtime_ns == first
    assert json.loads((run / "fold-1" / "fold.json").read_text())["resumed"]
    assert command(*LONG, "dir=whole").code == 0
    assert figures(run) == figures(directory / "whole")


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(
    command: Command, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press() -> None:
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(FoldProgress, "on_train_epoch_start", killed.at("fold-0", 2, press))
        ended = command(*LONG, "dir=run")
    assert ended.code == INTERRUPTED
    assert "interrupted; to go on: the same command, dir=run" in ended.err
    assert not (directory / "run" / "fold-0" / "fold.json").exists()
    assert command(*LONG, "dir=run").code == 0
    assert command(*LONG, "dir=whole").code == 0
    assert figures(directory / "run") == figures(directory / "whole")


MOMENTS = (
    "tilegrad.training.run.test_table",  # A fold is trained, and not yet tested,
    "tilegrad.training.run.finish",  # tested, and not yet done;
    "tilegrad.training.run.save_predictor",  # all rows are trained on, no model is in place;
    "tilegrad.training.finish.write_json",  # all is done but for the result.
)


@pytest.mark.slow
def test_a_training_killed_between_any_two_files_goes_on(
    command: Command, whole: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for moment in MOMENTS:
        with monkeypatch.context() as patch:
            patch.setattr(moment, Mock(side_effect=KilledError))
            with pytest.raises(KilledError):
                command(*QUICK, "dir=run")
    assert command(*QUICK, "dir=run").code == 0
    assert figures(directory / "run") == figures(whole)
    models = (directory / "run" / "model.ckpt", whole / "model.ckpt")
    states = [torch.load(path, weights_only=True)["state_dict"] for path in models]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[1])


def test_a_run_goes_on_with_or_without_its_progress(command: Command, directory: Path) -> None:
    assert command(*QUICK, "model=linear", "dir=run").code == 0
    before = figures(directory / "run")
    ended = command(*QUICK, "model=linear", "progress=true", "dir=run")
    assert (ended.code, figures(directory / "run")) == (0, before)


def test_a_directory_in_use_is_refused(command: Command, directory: Path) -> None:
    with alone("dir", directory / "run", LOCK):
        ended = command(*QUICK, "dir=run")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "dir=run: another process is at work there" in ended.err
    assert not [path for path in (directory / "run").iterdir() if path.is_dir()]


def test_a_checkpoint_that_a_kill_cut_off_is_left_aside(
    command: Command, whole: Path, directory: Path
) -> None:
    place = directory / "run" / "fold-0"
    place.mkdir(parents=True)
    (place / "last.ckpt").write_bytes(b"PK\x03\x04 and no more")
    assert command(*QUICK, "dir=run").code == 0
    assert figures(directory / "run") == figures(whole)


def test_ctrl_c_is_heard_again_afterwards() -> None:
    """Lightning ends the process and turns a deaf ear to further interrupts."""
    before = signal.getsignal(signal.SIGINT)

    def end_as_lightning_does() -> None:
        with plain_interrupts():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            sys.exit(1)

    with pytest.raises(KeyboardInterrupt):
        end_as_lightning_does()
    assert signal.getsignal(signal.SIGINT) is before
