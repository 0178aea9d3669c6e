"""Checkpoints that do not belong here are refused, naming both sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.predictors.helpers import save, schedules, trained
from tilegrad.accelerator import load_accelerator
from tilegrad.errors import ConfigError
from tilegrad.predictors import load_predictor
from tilegrad.predictors.base import CHECKPOINT_KEY

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the checkpoint of a linear predictor of gemmini's schedules."""
    save(trained("linear"), tmp_path / "model.ckpt")
    return tmp_path / "model.ckpt"


def refusal(path: Path, accelerator: Any = None) -> str:
    with pytest.raises(ConfigError) as refused:
        load_predictor(path, accelerator or schedules().accelerator)
    message = str(refused.value)
    assert f"ckpt={path}" in message
    assert "\n" not in message
    return message


def changed(path: Path, change: Change) -> Path:
    content = torch.load(path, weights_only=True)
    change(content[CHECKPOINT_KEY])
    torch.save(content, path)
    return path


def test_another_accelerator_is_refused(path: Path) -> None:
    message = refusal(path, load_accelerator("simba"))
    assert "for accelerator gemmini" in message
    assert "on simba" in message


def test_another_description_of_the_accelerator_is_refused(path: Path) -> None:
    gemmini = schedules().accelerator
    other = replace(gemmini, counting="timeloop")
    message = refusal(path, other)
    assert "another description of gemmini" in message
    assert "here" in message


def test_another_format_is_refused(path: Path) -> None:
    message = refusal(changed(path, lambda made: made.update(format=7, version="9.9")))
    assert "format 7, made by tilegrad 9.9" in message
    assert "reads format 2" in message


def test_an_unknown_predictor_is_refused(path: Path) -> None:
    message = refusal(changed(path, lambda made: made.update(kind="lineer")))
    assert "'lineer'" in message
    assert "nearest: linear" in message


def test_an_unknown_feature_set_is_refused(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'analytic'.*nearest: analytical"):
        load_predictor(
            changed(path, lambda made: made["schema"].update(features="analytic")),
            schedules().accelerator,
        )


def test_other_columns_are_refused_by_name(path: Path) -> None:
    def rename(made: dict[str, Any]) -> None:
        made["schema"]["columns"][0] = "hardware.cores"

    message = refusal(changed(path, rename))
    assert "only there: ['hardware.cores'], only here: ['hardware.pe_dim']" in message


def test_columns_in_another_order_are_refused(path: Path) -> None:
    message = refusal(changed(path, lambda made: made["schema"]["columns"].reverse()))
    assert "another order" in message


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_file_is_refused(path: Path, share: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert "truncated" in refusal(path)


def test_what_is_no_checkpoint_is_refused(path: Path) -> None:
    # Words whose first letters are opcodes of a pickle: each fails in its own way.
    for text in ("layer,R,S\n", "hello", "train", "0", "q", "}s"):
        path.write_text(text)
        assert "cannot be read as a checkpoint" in refusal(path)
    torch.save({"epoch": 3}, path)
    assert "no predictor's checkpoint" in refusal(path)
    torch.save(torch.zeros(3), path)
    assert "no predictor's checkpoint" in refusal(path)
    assert "is a directory" in refusal(path.parent)
    path.unlink()
    assert "does not exist" in refusal(path)


def test_code_in_a_file_is_not_run(path: Path, tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[Any, ...]:
            return (tmp_path.joinpath("written").touch, ())

    torch.save({CHECKPOINT_KEY: Harmful()}, path)
    assert "cannot be read" in refusal(path)
    assert not (tmp_path / "written").exists()
