"""A trained predictor on another machine: draws that resume, medians, the table and the picture."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers import gemmini
from tests.helpers_predictors import predictor
from tests.helpers_scripts import Command
from tests.training.conftest import MADE
from tilegrad.errors import ConfigError
from tilegrad.predictors import adaptation, load_predictor
from tilegrad.pretrained import checkpoint_path
from tilegrad.schedules import TableFile
from tilegrad.training.transfer import Transfer
from tilegrad.workload import load_workload

MACHINES = {
    "warm": {"memory_latency": 40.0, "issue_cycles": 50.0, "start_cycles": 100.0},
    "cold": {"memory_latency": 40.0, "issue_cycles": 50.0, "start_cycles": 100.0, "warm": 0.0},
}


def transfer(**changes: object) -> Transfer:
    source = TableFile.packaged("gemmini_verilator", gemmini())
    settings = {"machines": MACHINES, "measurements": (0, 12), "draws": 2, **changes}
    return Transfer(source, **settings)  # type: ignore[arg-type]


@pytest.mark.slow
def test_draws_are_kept_and_medians_returned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adaptation, "STEPS", 5)
    monkeypatch.setattr(adaptation, "FOLDS", 2)
    model = load_predictor(checkpoint_path("gemmini_rtl"), gemmini())
    found = transfer().run(model, tmp_path, seed=0)
    assert list(found) == ["warm_0", "warm_12", "cold_0", "cold_12"]
    table = pd.read_csv(tmp_path / "transfer.csv")
    assert table.groupby(["machine", "measurements"]).size().tolist() == [1, 2, 1, 2]
    assert (tmp_path / "transfer.png").read_bytes().startswith(b"\x89PNG")
    drawn = table[(table.machine == "cold") & (table.measurements == 12)]
    assert found["cold_12"]["mape"] == pytest.approx(drawn.mape.median())
    assert drawn.mape.nunique() == 2
    # Of the packaged checkpoint, with what the machine's description states.
    assert found["warm_0"]["pair_accuracy_micro"] > 0.88
    assert found["warm_0"]["mape"] < 0.2
    # What was finished is read.
    kept = tmp_path / "transfer" / "warm-0-0.json"
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "mape": 7.0}))
    assert transfer().run(model, tmp_path, seed=0)["warm_0"]["mape"] == 7.0


def test_what_cannot_be_transferred_is_refused(tmp_path: Path) -> None:
    linear = predictor("linear", load_workload("alexnet"))
    with pytest.raises(ConfigError, match=r"not model=linear; legal: model=pipeline"):
        transfer().run(linear, tmp_path, seed=0)
    model = load_predictor(checkpoint_path("gemmini_rtl"), gemmini())
    with pytest.raises(ConfigError, match=r"transfer.measurements has 300"):
        transfer(measurements=(300,)).run(model, tmp_path, seed=0)
    with pytest.raises(ConfigError, match=r"transfer.machines is empty"):
        transfer(machines={})


def test_a_transfer_needs_a_refitted_model(command: Command) -> None:
    chosen = ("experiment=rtl/two_machines", "split=unseen_layers", "split.count=2")
    ended = command(*MADE, *chosen, "refit=false", "progress=false")
    assert ended.code == 2
    assert "legal: refit=true, or transfer=null" in ended.err
