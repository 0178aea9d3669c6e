"""Cycles and energy against real Timeloop runs."""

from __future__ import annotations

import pytest
import torch

from tests.helpers import gemmini
from tests.helpers_golden import ARCHITECTURES, COUNTING, load_golden
from tilegrad.cost import layer_cost
from tilegrad.cost.capacity import fits
from tilegrad.nest import analyse


@pytest.mark.parametrize("version", COUNTING)
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_cycles_are_timeloops(arch: str, version: str) -> None:
    golden = load_golden(arch, version)
    nest = analyse(golden.mapping, golden.strides, golden.accelerator)
    found = layer_cost(nest, golden.accelerator, {})
    assert found.cycles.tolist() == golden.table.cycles.tolist()
    levels = zip(golden.accelerator.levels, found.cycles_by_part.unbind(-1)[1:], strict=True)
    for level, cycles in levels:
        assert cycles.tolist() == [run[level.name]["cycles"] for run in golden.recorded]


@pytest.mark.parametrize("arch", sorted(set(ARCHITECTURES) - {"simba"}))
def test_energy_is_that_of_the_pat_fork(arch: str) -> None:
    """Without simba, whose instances share their arrays in clusters."""
    golden = load_golden(arch, "2022-fork")
    nest = analyse(golden.mapping, golden.strides, golden.accelerator)
    found = layer_cost(nest, golden.accelerator, {}).energy_pj
    expected = torch.tensor(golden.table.energy_pj.to_numpy())
    assert (found / expected - 1).abs().max() < 1e-9


def test_packaged_gemmini_is_the_published_one() -> None:
    golden = load_golden("gemmini", "2022-fork")
    nest = analyse(golden.mapping, golden.strides, gemmini())
    hardware = {"pe_dim": 16.0, "scratchpad_kb": 128.0, "accumulator_kb": 32.0}
    found = layer_cost(nest, gemmini(), hardware)
    anydim = torch.tensor((golden.table.family == "anydim").to_numpy())
    assert found.cycles.tolist() == golden.table.cycles.tolist()
    expected = torch.tensor(golden.table.energy_pj.to_numpy())
    assert (found.energy_pj / expected - 1).abs().max() < 1e-9
    assert (fits(nest, gemmini(), hardware) | anydim).all()
