"""What a record says of limits, computed anew from the design."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.search.helpers import SMALL, Limits, record, run, small_problem
from tilegrad.search.random import RandomStrategy


@pytest.mark.parametrize(
    ("hardware", "caps", "capped"),
    [
        ({}, {"pe_dim": 4}, ["pe_dim"]),
        ({"pe_dim": 4}, {"pe_dim": 4}, []),
        ({}, {"pe_dim": 128, "scratchpad_kb": 10_000, "area_mm2": 1e6}, []),
        ({"pe_dim": 4, "scratchpad_kb": 512, "accumulator_kb": 512}, {"area_mm2": 1e6}, []),
    ],
)
def test_caps_that_bind_are_named(
    hardware: Mapping[str, float], caps: Mapping[str, float], capped: list[str], tmp_path: Path
) -> None:
    problem = small_problem("latency", Limits(hardware, caps))
    found = record(run(problem, RandomStrategy(3000), tmp_path)[0], problem)
    assert found["at_cap"] == capped


def test_utilisation_is_macs_over_units_and_cycles(tmp_path: Path) -> None:
    problem = small_problem("edp", Limits({"pe_dim": 8}, {}))
    found = record(run(problem, RandomStrategy(200), tmp_path)[0], problem)
    for layer, own in zip(found["layers"], SMALL.layers, strict=True):
        macs = 1
        for bound in own.bounds:
            macs *= bound
        assert layer["pe_utilisation"] == pytest.approx(macs / (64 * layer["cycles"]))
        assert 0 < layer["pe_utilisation"] <= 1
