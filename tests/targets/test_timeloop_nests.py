"""Mappings to Timeloop's directives and back, through YAML, on every packaged accelerator."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.helpers import generator, integer_mappings
from tilegrad.accelerator import AXES, load_accelerator, packaged_accelerators
from tilegrad.errors import MappingError
from tilegrad.mapping import LoopNest, unit_mapping
from tilegrad.targets.timeloop.imports import mapping_list
from tilegrad.targets.timeloop.nests import DIALECTS, mapping_directives, read_directives
from tilegrad.targets.timeloop.tagged import write_yaml


def representable(name: str, rows: int, seed: int) -> LoopNest:
    """Random mappings; where a level spreads a dim along X and Y, X has it alone."""
    mapping = integer_mappings(load_accelerator(name), rows, generator(seed))
    spatial = mapping.spatial.clone()
    both = (spatial[..., 0, :] > 1) & (spatial[..., 1, :] > 1)
    spatial[..., 1, :] = torch.where(both, torch.ones(()).double(), spatial[..., 1, :])
    return LoopNest(mapping.temporal, spatial, mapping.order)


def same(left: LoopNest, right: LoopNest) -> bool:
    pairs = zip(vars(left).values(), vars(right).values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", packaged_accelerators())
def test_through_a_file(name: str, dialect: str, tmp_path: Path) -> None:
    accelerator, path = load_accelerator(name), tmp_path / "mapping.yaml"
    mappings = representable(name, 20, 0)
    for row in range(20):
        write_yaml(path, {"mapping": mapping_directives(mappings[row], accelerator, dialect)})
        found = read_directives(mapping_list(path), accelerator, "here")
        assert same(found, mappings[row])


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", packaged_accelerators())
def test_ten_thousand_mappings(name: str) -> None:
    accelerator = load_accelerator(name)
    mappings = representable(name, 10_000, 1)
    for row in range(10_000):
        dialect = DIALECTS[row % 2]
        directives = mapping_directives(mappings[row], accelerator, dialect)
        assert same(read_directives(directives, accelerator, "here"), mappings[row])


def test_permutations_are_innermost_first() -> None:
    accelerator = load_accelerator("gemmini")
    mapping = unit_mapping(4)
    mapping.order[3] = torch.tensor([5, 0, 1, 2, 3, 6, 4])
    directives = mapping_directives(mapping, accelerator, "0.3")
    dram = next(d for d in directives if d["target"] == "DRAM" and d["type"] == "temporal")
    assert dram["permutation"] == "CNQPSRK"


def test_a_dim_along_both_axes_is_refused() -> None:
    accelerator = load_accelerator("gemmini")
    mapping = unit_mapping(4)
    for axis in range(len(AXES)):
        mapping.spatial[2, axis, 5] = 2
    with pytest.raises(MappingError, match="Scratchpad spreads K along X and Y"):
        mapping_directives(mapping, accelerator, "0.3")


@pytest.mark.parametrize(
    ("directive", "message"),
    [
        ({"target": "SRAM", "type": "temporal"}, "unknown target 'SRAM'"),
        ({"target": "DRAM", "type": "time"}, "unknown type 'time'"),
        ({"target": "DRAM", "type": "temporal", "factors": "Z=2"}, "factor 'Z=2'"),
        ({"target": "DRAM", "type": "temporal", "factors": "C=0"}, "factor 'C=0'"),
        ({"target": "DRAM", "type": "temporal", "permutation": "CCK"}, "permutation 'CCK' has C"),
        ({"target": "DRAM", "type": "spatial", "split": -1}, "split is -1"),
        ({"target": "DRAM", "type": "bypass", "keep": ["Weights"]}, "DRAM keeps"),
        ("DRAM", "is not a directive"),
    ],
)
def test_malformed_directives(directive: object, message: str) -> None:
    with pytest.raises(MappingError, match=message):
        read_directives([directive], load_accelerator("gemmini"), "here")
