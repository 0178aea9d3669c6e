"""The packaged accelerators against real Timeloop runs, both versions, given the same tables."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import yaml

from tests.helpers_golden import ARCHITECTURES, COUNTING, load_golden
from tests.helpers_published import GOLDEN
from tilegrad.accelerator import Accelerator, build_accelerator
from tilegrad.cost import area_mm2, layer_cost
from tilegrad.nest import analyse
from tilegrad.paths import config_directory

ENERGY = {"2022-fork": "pat", "head": "accelergy"}
LINK_TRANSFERS = {"simba": "simba/conv3x3_s1/06"}
"""The one run in which neighbours pass Inputs to each other, which no level's energy shows."""

HARDWARE = {"gemmini": {"pe_dim": 16.0, "scratchpad_kb": 128.0, "accumulator_kb": 32.0}}


def described(arch: str) -> dict[str, Any]:
    text = (config_directory() / "accelerator" / f"{arch}.yaml").read_text()
    description: dict[str, Any] = yaml.safe_load(text)["accelerator"]
    description.pop("_target_")
    return description


def packaged(arch: str, version: str) -> Accelerator:
    changes = {"counting": COUNTING[version], "energy": ENERGY[version]}
    return build_accelerator(**{**described(arch), **changes})


@pytest.mark.parametrize("version", COUNTING)
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_cost_is_timeloops(arch: str, version: str) -> None:
    golden = load_golden(arch, version)
    accelerator = packaged(arch, version)
    nest = analyse(golden.mapping, golden.strides, accelerator)
    found = layer_cost(nest, accelerator, HARDWARE.get(arch, {}))
    cycles = torch.tensor(golden.table.cycles.to_numpy())
    assert ((found.cycles - cycles).abs() <= 1).all()
    error = (found.energy_pj / torch.tensor(golden.table.energy_pj.to_numpy()) - 1).abs()
    wrong = {golden.table.mapping_id[row] for row in (error > 1e-6).nonzero().flatten().tolist()}
    assert wrong <= {LINK_TRANSFERS.get(arch)}


@pytest.mark.parametrize("arch", sorted(set(ARCHITECTURES) - {"gemmini"}))
def test_area_is_accelergys(arch: str) -> None:
    golden = load_golden(arch, "head")
    assert area_mm2(packaged(arch, "head"), {}) * 1e6 == pytest.approx(golden.table.area_um2[0])


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_tables_read_from_files_are_the_packaged_ones(arch: str) -> None:
    files = {n: str(GOLDEN / arch / f"{n.upper()}.yaml") for n in ("ert", "art")}
    read = build_accelerator(**{**described(arch), "energy": {"table": "accelergy", **files}})
    same = packaged(arch, "head")
    energies = [[x.block_pj for x in each.levels if x.keeps] for each in (read, same)]
    assert energies[0] == energies[1]
    assert read.arithmetic.energy_pj == same.arithmetic.energy_pj
    assert read.arithmetic.area_mm2 == pytest.approx(same.arithmetic.area_mm2)
