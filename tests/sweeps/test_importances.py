"""Importances by level: each column tells of one part of the machine or of the layer."""

from __future__ import annotations

import pytest

from tilegrad.accelerator import load_accelerator
from tilegrad.predictors.features import feature_set
from tilegrad.predictors.schema import Schema
from tilegrad.sweeps.importances import part_of, with_levels


@pytest.mark.parametrize("features", ["raw", "analytical"])
@pytest.mark.parametrize("accelerator", ["gemmini", "simba_free"])
def test_every_column_tells_of_a_part_of_its_machine(features: str, accelerator: str) -> None:
    machine = load_accelerator(accelerator)
    columns = Schema.of(feature_set(features).name, machine, ("latency",)).columns
    parts = {column: part_of(column) for column in columns}
    levels = {level.name for level in machine.levels}
    assert set(parts.values()) <= {*levels, "arithmetic", "layer", "hardware"}
    for column, part in parts.items():
        named = levels & set(column.split("."))
        assert part in named if named else part not in levels


def test_shares_by_level_add_up_to_those_of_the_columns() -> None:
    shares = {"traffic.DRAM.reads": 0.5, "roofline.DRAM.shared": 0.125, "hardware.pe_dim": 0.375}
    found = with_levels({"mdi": shares, "permutation": {"traffic.DRAM.reads": 0.1}})
    assert found["mdi by level"] == {"DRAM": 0.625, "hardware": 0.375}
    assert found["mdi"] == shares
    assert "permutation by level" not in found
