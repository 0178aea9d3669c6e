"""A pipeline on another machine: one whose costs are those of the trained one, changed."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor

from tests.helpers import gemmini
from tests.helpers_published import FACTS
from tilegrad.cli import main
from tilegrad.datamodules import feature_rows
from tilegrad.errors import ConfigError
from tilegrad.predictors import Pipeline, adaptation, load_predictor, planning
from tilegrad.predictors.adaptation import adapted
from tilegrad.predictors.base import Batch
from tilegrad.predictors.features import feature_set
from tilegrad.predictors.planning import most_telling
from tilegrad.pretrained import checkpoint_path
from tilegrad.schedules import TableFile

VERILATOR = FACTS / "gemmini_verilator" / "measured.csv"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer steps than a user's: the machines made here are near."""
    monkeypatch.setattr(adaptation, "STEPS", 40)
    monkeypatch.setattr(adaptation, "FOLDS", 2)


def pretrained() -> Pipeline:
    found = load_predictor(checkpoint_path("gemmini_rtl"), gemmini())
    assert isinstance(found, Pipeline)
    return found


def table(path: Path) -> pd.DataFrame:
    """Write measured mappings as the table that ``tilegrad parse-log`` would make.

    Of kernels larger than 1 x 1: the others ran otherwise than they are exported today.
    """
    measured = pd.read_csv(VERILATOR)
    measured = measured[measured.mapping.notna() & (measured["prob.R"] > 1)]
    measured = measured.drop_duplicates(["layer", "mapping"])
    renamed = {"mapping": "mapping.mapping", "warm_cycles": "target.cycle"}
    # Its calls are those of the columns `variant` and `how`, not of `call`.
    rows = (
        measured.drop(columns="call")
        .rename(columns=renamed)
        .assign(pe_dim=16, scratchpad_kb=128, accumulator_kb=32)
    )
    rows.to_csv(path, index=False)
    return rows


@cache
def rows(directory: Path) -> Batch:
    table(directory / "measured.csv")
    schedules = TableFile(str(directory / "measured.csv"), gemmini()).load()
    found = feature_rows(schedules, feature_set("commands"), ["latency"])
    return found[torch.arange(len(found))]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    return rows(tmp_path_factory.mktemp("table"))


def of_machine(costs: float, batch: Batch) -> Tensor:
    """Return log cycles on a machine that issues in a fifth and loads in ``costs`` of the time."""
    other = deepcopy(pretrained())
    with torch.no_grad():
        other.log_issue.sub_(1.6)
        load = torch.nn.functional.softplus(other.raw_cost["load"]) * costs
        other.raw_cost["load"].copy_(torch.expm1(load).clamp(min=1e-9).log())
        return other(batch["features"])


def test_a_machine_of_other_costs_is_learnt_from_forty_rows(measured: Batch) -> None:
    truth = of_machine(2.0, measured)
    random = torch.Generator().manual_seed(0)
    order = torch.randperm(len(truth), generator=random)
    seen, unseen = order[:40], order[40:]
    batch = {name: values[seen] for name, values in measured.items()}
    batch["log_targets"] = truth[seen]
    model = pretrained()
    found = adapted(model, batch)
    features = measured["features"][unseen]
    before = (model(features) - truth[unseen]).abs().mean()
    after = (found.predictor(features) - truth[unseen]).abs().mean()
    assert before > 0.2
    assert after < before / 3
    width = found.predictor.half_width(features, 0.9)
    assert width is not None
    holds = ((found.predictor(features) - truth[unseen]).abs() <= width).double().mean()
    assert holds > 0.8
    # It is at home where it was measured.
    assert found.predictor.elsewhere(features) is None
    # What was trained stays as it was.
    assert torch.equal(model(features), pretrained()(features))


def test_measurements_of_one_layer_are_refused(measured: Batch) -> None:
    alone = measured["layer"] == measured["layer"][0]
    batch = {name: values[alone] for name, values in measured.items()}
    with pytest.raises(ConfigError, match=r"of 1 layer; legal: 2 or more"):
        adapted(pretrained(), batch)


def test_the_command_writes_a_checkpoint_of_smaller_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = table(tmp_path / "whole.csv")
    made.sample(40, random_state=0).to_csv(tmp_path / "some.csv", index=False)
    out = tmp_path / "made" / "mine.ckpt"
    assert main(["calibrate", str(tmp_path / "some.csv"), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    before, after = errors_in(printed)
    assert after < before
    assert isinstance(load_predictor(out, gemmini()), Pipeline)


def errors_in(printed: str) -> tuple[float, float]:
    """Return the errors in per cent that the command prints."""
    words = printed.replace(":", "").split()
    before, after = (float(words[words.index(name) - 2]) for name in ("before,", "after,"))
    return before, after


def test_another_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(tmp_path / "some.csv")
    missing = ["calibrate", str(tmp_path / "some.csv"), "--ckpt", "no.ckpt", "--out", "x.ckpt"]
    assert main(missing) == 2
    assert "ckpt=no.ckpt does not exist" in capsys.readouterr().err


def test_a_plan_takes_the_rows_that_say_most(measured: Batch) -> None:
    model, features, layer = pretrained(), measured["features"], measured["layer"]
    chosen = most_telling(model, features, layer, 12)
    assert len(set(chosen)) == 12
    assert max(layer[chosen].bincount()) <= -(-2 * 12 // len(layer.unique()))
    # What they leave uncertain, of all rows, is less than what random ones do.
    random = torch.Generator().manual_seed(1)
    others = [torch.randperm(len(layer), generator=random)[:12].tolist() for _ in range(5)]
    left = [uncertainty(model, features, places) for places in others]
    assert uncertainty(model, features, chosen) < 0.9 * min(left)


def uncertainty(model: Pipeline, features: Tensor, seen: list[int]) -> float:
    """Return the log volume of the factors' posterior, by its covariance as a matrix's inverse."""
    slopes = planning._slopes(model, features[seen])
    precision = torch.eye(slopes.shape[1]).double() + slopes.T @ slopes / adaptation.DELTA
    return float(-precision.logdet())


MIXED = """layer,R,S,P,Q,C,K,G
conv,3,3,14,14,16,32,1
product,1,1,49,1,64,96,1
depthwise,3,3,14,14,1,1,32
"""


def test_the_command_writes_a_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "plan"
    (tmp_path / "mixed.csv").write_text(MIXED)
    words = ["calibrate", "--plan", "6", "--workload", str(tmp_path / "mixed.csv")]
    assert main([*words, "--machine", "warm=0", "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert "6 programs written" in told.out
    assert "note: depthwise is left out: a conv with G" in told.err
    programs = sorted((out / "layers").glob("*.c"))
    assert len(programs) == 6
    assert all("tilegrad: begin" in program.read_text() for program in programs)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "TABLE and --plan: neither given"),
        (["some.csv", "--plan", "3"], "TABLE and --plan: both given"),
        (["--plan", "0"], "--plan is 0"),
        (["--plan", "1", "--workload", "odd.csv"], "to measure (odd is left out: kernel 3 x 2 "),
        (["--plan", "3", "--machine", "warm"], "--machine 'warm'; legal: NAME=NUMBER"),
        (["--plan", "3", "--machine", "latency=3"], "accelerator.machine"),
        (["--plan", "3", "--hardware", "pe_dims=3"], "pe_dim"),
    ],
)
def test_what_no_plan_can_be_made_of_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("odd.csv").write_text("layer,R,S,P,Q,C,K\nodd,3,2,8,8,4,8\n")
    assert main(["calibrate", *words, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
