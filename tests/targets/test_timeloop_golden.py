"""The published architectures and mappings read as the packaged accelerators and their nests."""

from __future__ import annotations

import pytest
import torch
import yaml

from tests.helpers_golden import ARCHITECTURES, load_golden
from tests.helpers_published import GOLDEN
from tilegrad.accelerator import build_accelerator, load_accelerator
from tilegrad.targets.timeloop.imports import read_architecture, read_keeps
from tilegrad.targets.timeloop.nests import read_directives

SIZES = ("name", "keeps", "word_bits", "capacity_words", "cluster", "buffers")


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_architectures(arch: str) -> None:
    golden = load_golden(arch, "head")
    directives = yaml.safe_load(golden.table.mapping_yaml[0])["mapping"]
    source = GOLDEN / arch / "arch.yaml"
    description, _ = read_architecture(source, read_keeps(directives, "golden"))
    found, expected = build_accelerator(**description), golden.accelerator
    for level, same in zip(found.levels, expected.levels, strict=True):
        for field in ("name", "keeps", "word_bits", "capacity_words", "buffers"):
            assert getattr(level, field) == getattr(same, field)
        assert level.block.text == same.block.text
        assert float(level.instances({})) == float(same.instances({}))
        widths = {port: float(width({})) for port, width in level.bandwidth.items()}
        assert widths == {port: float(width({})) for port, width in same.bandwidth.items()}
    if arch != "gemmini":
        packaged = load_accelerator(arch)
        for level, same in zip(found.levels, packaged.levels, strict=True):
            assert [getattr(level, f) for f in SIZES] == [getattr(same, f) for f in SIZES]


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_mappings(arch: str) -> None:
    golden = load_golden(arch, "head")
    for row, text in enumerate(golden.table.mapping_yaml):
        directives = yaml.safe_load(text)["mapping"]
        found = read_directives(directives, golden.accelerator, "golden")
        assert torch.equal(found.temporal, golden.mapping[row].temporal)
        assert torch.equal(found.spatial, golden.mapping[row].spatial)
