"""``search.py ckpt=PATH``: what it leaves, goes on with and refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.entry.conftest import SMALL, TABLE
from tests.helpers_predictors import predictor, save
from tests.helpers_scripts import Command
from tilegrad.workload import Workload, load_workload

RUN = ("workload=small.csv", *SMALL, "progress=false", "dir=run")
RANDOM = ("workload=small.csv", "strategy=random", "strategy.designs=50", "dir=run")


@pytest.fixture
def small(directory: Path) -> Workload:
    """Return the layers of the directory's table."""
    assert (directory / "small.csv").read_text() == TABLE
    return load_workload(path=str(directory / "small.csv"))


def result() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("run/result.json").read_text())
    return found


def test_a_run_reports_both_sides_and_the_guard(command: Command, small: Workload) -> None:
    made = predictor("roofline", small)
    made.highest[made.schema.columns.index("hardware.accumulator_kb")] = -1.0
    # As Lightning names them; Hydra's own grammar would trip over the sign.
    save(made, Path("epoch=3-step=9.ckpt"))
    arguments = [argument for argument in RUN if argument not in ("progress=false", "report=false")]
    ended = command(*arguments, "ckpt=epoch=3-step=9.ckpt")
    assert ended.code == 0, ended.err
    found = result()
    assert found["predicted"]["model"] == "roofline (analytical features), epoch=3-step=9.ckpt"
    assert found["edp"] == pytest.approx(found["energy_uj"] * found["cycles"])
    assert found["edp"] != pytest.approx(found["predicted"]["edp"])
    words = re.sub(r"[^\w.]+", " ", ended.out)
    for text in ("predicted EDP", "predicted latency", "left by 2 of 2 layers", "accumulator_kb"):
        assert text in words
    page = Path("run/report.html").read_text(encoding="utf-8")
    assert "Training range" in page
    assert "hardware.accumulator_kb" in page


def test_a_run_without_a_checkpoint_says_nothing_of_predictions(command: Command) -> None:
    assert command(*RANDOM, "report=false", "progress=false").code == 0
    assert "predicted" not in json.dumps(result())


def test_a_directory_belongs_to_one_checkpoint(command: Command, small: Workload) -> None:
    save(predictor("linear", small), Path("one.ckpt"))
    Path("copy.ckpt").write_bytes(Path("one.ckpt").read_bytes())
    save(predictor("linear", small, ridge=1e-3), Path("other.ckpt"))
    assert command(*RANDOM, "report=false", "progress=false", "ckpt=one.ckpt").code == 0
    first = result()
    assert command(*RANDOM, "report=false", "progress=false", "ckpt=copy.ckpt").code == 0
    assert result()["predicted"]["edp"] == first["predicted"]["edp"]
    for argument in ("ckpt=other.ckpt", "ckpt=null"):
        ended = command(*RANDOM, "report=false", "progress=false", argument)
        assert ended.code == 2
        assert "another ckpt" in ended.err
    ended = command(*RANDOM, "report=false", "progress=false", "ckpt=one.ckpt", "ckpt_penalty=1")
    assert ended.code == 2
    assert "another ckpt_penalty (4.0 there, 1 here)" in ended.err


def test_predictions_that_are_no_numbers_are_refused_by_layer(
    command: Command, small: Workload
) -> None:
    made = predictor("linear", small)
    made.target_mean.fill_(torch.nan)
    save(made, Path("broken.ckpt"))
    ended = command(*RUN, "ckpt=broken.ckpt")
    assert ended.code == 2
    told = "ckpt=broken.ckpt (linear) predicts no finite latency for 2 of 2 mappings"
    assert f"{told}, of the layers conv, linear;" in ended.err
    assert not Path("run").exists()


def test_a_forest_is_for_strategies_without_gradients(command: Command, small: Workload) -> None:
    save(predictor("forest", small, trees=5), Path("forest.ckpt"))
    ended = command(*RUN, "ckpt=forest.ckpt")
    assert ended.code == 2
    assert "strategy=gradient needs the latency's gradient" in ended.err
    assert re.search(r"ckpt=forest\.ckpt .* legal: strategy=.*\brandom\b", ended.err)
    assert "gradient," not in ended.err.split("legal:")[1]
    assert not Path("run").exists()
    ended = command(*RANDOM, "report=false", "progress=false", "ckpt=forest.ckpt")
    assert ended.code == 0
    assert result()["predicted"]["cycles"] > 0


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("ckpt=absent.ckpt",), ("ckpt=absent.ckpt", "does not exist")),
        (("ckpt=small.csv",), ("ckpt=small.csv", "cannot be read as a checkpoint")),
        (("ckpt=linear.ckpt", "accelerator=eyeriss"), ("linear.ckpt", "gemmini", "eyeriss")),
        (("ckpt_penalty=-1",), ("ckpt_penalty", "-1", ">= 0")),
        (("ckpt_penalty=nan",), ("ckpt_penalty", "nan", ">= 0")),
    ],
)
def test_what_is_refused(
    command: Command, small: Workload, arguments: tuple[str, ...], names: tuple[str, ...]
) -> None:
    save(predictor("linear", small), Path("linear.ckpt"))
    ended = command(*RUN, *arguments)
    assert ended.code == 2
    assert not [name for name in names if name not in ended.err]
    assert not Path("run").exists()
