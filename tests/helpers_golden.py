"""The golden Timeloop runs: one table and one accelerator per architecture and version."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from tests.helpers_published import GOLDEN
from tilegrad.accelerator import Accelerator, build_accelerator
from tilegrad.mapping import LoopNest, stack, unit_mapping
from tilegrad.shape.conv import DIMS, STRIDES

ARCHITECTURES = ("eyeriss", "gemmini", "nvdla_small", "simba")
COUNTING = {"2022-fork": "timeloop-2022", "head": "timeloop"}
BANDWIDTHS = {"read": "read_bandwidth", "write": "write_bandwidth", "shared": "shared_bandwidth"}


@dataclass(frozen=True)
class Golden:
    """The runs of one architecture in one version; ``recorded[run][level name]``."""

    table: pd.DataFrame
    accelerator: Accelerator
    mapping: LoopNest
    strides: Tensor
    recorded: list[dict[str, Any]]


def load_golden(arch: str, version: str) -> Golden:
    """Return the runs, with the accelerator that Timeloop understood."""
    table = pd.read_parquet(GOLDEN / "golden.parquet")
    table = table[(table.arch == arch) & (table.version == version)].reset_index(drop=True)
    specs = json.loads((GOLDEN / arch / "specs_as_read.json").read_text())
    nests = [json.loads(text)[::-1] for text in table.mapping_json]
    keeps = {level["name"]: level["keep"] for level in nests[0]}
    levels = [_level(specs[version][name], kept) for name, kept in keeps.items()]
    for inner, outer in pairwise(levels):
        width = inner["instances"] // outer["instances"]
        outer["fanout"] = {"X": {"dims": "all", "width": width}}
    accelerator = build_accelerator(
        name=arch,
        counting=COUNTING[version],
        energy="pat",
        arithmetic={"energy_pj": float((table.compute_energy_pj / table.computes).iloc[0])},
        parameters={},
        levels=levels,
    )
    recorded = [{level["name"]: level for level in json.loads(r)} for r in table.levels_json]
    strides = torch.tensor(table[list(STRIDES)].to_numpy(), dtype=torch.float64)
    mapping = stack([_mapping(nest, keeps) for nest in nests])
    return Golden(table, accelerator, mapping, strides, recorded)


def _level(spec: dict[str, Any], keeps: list[str]) -> dict[str, Any]:
    buffers = int(spec["multiple_buffering"])
    return {
        "name": spec["name"],
        "kind": "dram" if spec["technology"] == 1 else "sram",
        "keeps": keeps,
        "loops": "all",
        "word_bits": spec["word_bits"],
        "block": spec["block_size"],
        "instances": spec["instances"],
        "capacity_words": spec["size"] // buffers if "size" in spec else None,
        "buffers": buffers,
        "bandwidth": {port: spec[name] for port, name in BANDWIDTHS.items() if spec.get(name)},
    }


def _mapping(nest: list[dict[str, Any]], keeps: dict[str, list[str]]) -> LoopNest:
    assert {level["name"]: level["keep"] for level in nest} == keeps
    mapping = unit_mapping(len(nest))
    for index, level in enumerate(nest):
        loops = [DIMS.index(dim) for dim, _ in level["temporal"]]
        rest = [dim for dim in range(len(DIMS)) if dim not in loops]
        mapping.order[index] = torch.tensor(loops + rest)
        for dim, bound in level["temporal"]:
            mapping.temporal[index, DIMS.index(dim)] = bound
        for dim, bound, axis in level["spatial"]:
            mapping.spatial[index, "XY".index(axis), DIMS.index(dim)] *= bound
    return mapping
