"""Programs that no predictor was trained on, measured on the second Gemmini's RTL (docs/rtl.md)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from tests.helpers import gemmini
from tests.helpers_published import FACTS
from tilegrad.datamodules import feature_rows
from tilegrad.predictors import load_predictor, ranking_metrics
from tilegrad.predictors.features import feature_set
from tilegrad.pretrained import checkpoint_path
from tilegrad.schedules import TableFile

MEASURED = pd.read_csv(FACTS / "gemmini_verilator" / "searched.csv")
MACHINE = {"memory_latency": 40.0, "memory_cache_kb": 0.0}
PROCESSOR = {"issue_cycles": 50.0, "start_cycles": 100.0}


@pytest.mark.parametrize(("warm", "pairs", "mape"), [(1.0, 0.9, 0.2), (0.0, 0.9, 0.26)])
def test_programs_of_new_layers_are_ordered(
    tmp_path: Path, warm: float, pairs: float, mape: float
) -> None:
    new = MEASURED[MEASURED.program.str.contains("new_")]
    assert new.layer.nunique() == 20
    new.to_csv(tmp_path / "new.csv", index=False)
    usual = gemmini()
    there = replace(usual, machine={**usual.machine, **MACHINE, **PROCESSOR, "warm": warm})
    model = load_predictor(checkpoint_path("gemmini_rtl"), there)
    rows = feature_rows(
        TableFile(str(tmp_path / "new.csv"), there).load(), feature_set("commands"), ["latency"]
    )
    column = "target.cycle_warm" if warm else "target.cycle_cold"
    assert rows.targets[:, 0].tolist() == new[column].tolist()
    with torch.no_grad():
        predicted = model(rows.features)[:, 0].double().numpy()
    groups = {"layer": rows.layer.numpy(), "machine": np.zeros(len(rows), dtype=np.int64)}
    found = ranking_metrics(predicted, rows.targets[:, 0].log().numpy(), groups)
    assert found["pair_accuracy_micro"] > pairs
    assert found["mape"] < mape
