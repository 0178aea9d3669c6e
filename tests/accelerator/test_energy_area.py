"""Energies and areas of the packaged accelerator against published numbers."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers import describe, gemmini
from tests.helpers_published import Table
from tilegrad.accelerator import ACCESSES, build_accelerator
from tilegrad.accelerator.expression import Value
from tilegrad.cost import area_mm2
from tilegrad.errors import AcceleratorError

kilobytes = st.floats(1, 4096)


@given(kilobytes, kilobytes, st.integers(2, 128))
def test_pat_energies_are_the_published_lines(spad: float, column: float, pe: int) -> None:
    accelerator = gemmini()
    hardware = {"pe_dim": pe, "scratchpad_kb": spad, "accumulator_kb": column * pe}
    expected = [0.487462, 1.949749 + 0.1005025 * column, 0.487437 + 0.0251256 * spad, 100.0]
    for level, per_word in zip(accelerator.levels, expected, strict=True):
        found = accelerator.access_pj(level, hardware)
        assert set(found) == set(ACCESSES)
        assert list(found.values()) == pytest.approx([per_word] * 3, rel=2e-6)


@given(kilobytes)
def test_pat_energy_has_a_gradient(spad: float) -> None:
    size = torch.tensor(spad, dtype=torch.float64, requires_grad=True)
    hardware: dict[str, Value] = {"pe_dim": 16.0, "scratchpad_kb": size, "accumulator_kb": 1.0}
    energy = gemmini().access_pj(gemmini().levels[2], hardware)["reads"]
    assert isinstance(energy, torch.Tensor)
    assert torch.autograd.grad(energy, size)[0].item() == pytest.approx(2.5 / 99.5, rel=1e-12)


def test_own_energies_replace_the_table() -> None:
    described = describe([["Weights"], ["Weights", "Inputs", "Outputs"]], "timeloop")
    described["parameters"] = {"size": {}}
    own = {"reads": 1.5, "fills": "2 * size", "updates": 0}
    described["levels"][0]["access_pj"] = own
    accelerator = build_accelerator(**described)
    found = accelerator.access_pj(accelerator.levels[0], {"size": 4.0})
    assert found == {"reads": 1.5, "fills": 8.0, "updates": 0.0}


@pytest.mark.parametrize("value", [float("nan"), -1.0, float("inf")])
@pytest.mark.parametrize("field", ["reads", "fills", "updates"])
def test_own_energies_must_be_finite_and_not_negative(field: str, value: float) -> None:
    described = describe([["Weights"], ["Weights", "Inputs", "Outputs"]], "timeloop")
    described["levels"][0]["access_pj"] = {**dict.fromkeys(ACCESSES, 1.0), field: value}
    with pytest.raises(AcceleratorError, match=rf"levels\[0\]\.access_pj\.{field}"):
        build_accelerator(**described)


def test_area_is_near_the_published_one(timeloop_rows: Table) -> None:
    columns = ["target.area", "arch.meshX", "arch.mem1_depth", "arch.mem2_depth"]
    table = pd.read_csv(timeloop_rows.path, usecols=columns).drop_duplicates()
    area, mesh, words, rows = (torch.tensor(table[name].to_numpy()) for name in columns)
    hardware = {
        "pe_dim": mesh.double(),
        "scratchpad_kb": rows * mesh / 1024,
        "accumulator_kb": words * 4 * mesh / 1024,
    }
    error = (torch.as_tensor(area_mm2(gemmini(), hardware)) / area - 1).abs()
    assert error.median() < 0.06
    assert error.quantile(0.9) < 0.25
