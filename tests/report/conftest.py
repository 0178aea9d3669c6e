"""A finished run made with the real nest and cost: simple valid mappings of packaged networks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tilegrad.accelerator import Accelerator, load_accelerator
from tilegrad.cost import area_mm2, infer_hardware, layer_cost
from tilegrad.mapping import LoopNest, format_shorthand, stack, unit_mapping
from tilegrad.mapping.factors import divisors
from tilegrad.nest import analyse
from tilegrad.shape.conv import C, K, P
from tilegrad.workload import Problem, Workload, load_workload

Record = dict[str, Any]
HISTORY = "samples,seconds,edp\n100,0.5,9e12\n2000,2.5,4e12\n2500,3,3.5e12\n50000,30,3e12\n"


def simple_mapping(problem: Problem) -> LoopNest:
    """Return C and K over the array as far as they go, P in the registers, the rest in DRAM."""
    mapping = unit_mapping(4)
    left = torch.tensor(problem.bounds, dtype=torch.float64)
    for level, dim in ((1, C), (2, K)):
        mapping.spatial[level, 0, dim] = max(d for d in divisors(problem.bounds[dim]) if d <= 16)
        left[dim] /= mapping.spatial[level, 0, dim]
    mapping.temporal[0, P] = left[P]
    left[P] = 1
    mapping.temporal[3] = left
    return mapping


def make_record(workload: Workload, accelerator: Accelerator) -> Record:
    """Return the content of result.json for simple mappings of all layers."""
    mappings = [simple_mapping(problem) for problem in workload]
    nest = analyse(stack(mappings), workload.strides, accelerator)
    hardware = infer_hardware(accelerator, nest, {})
    cost = layer_cost(nest, accelerator, hardware)
    energy = (cost.energy_pj * workload.counts).sum().item() / 1e6
    cycles = (cost.cycles * workload.counts).sum().item()
    names = ["arithmetic", *(level.name for level in accelerator.levels)]
    layers = []
    for index, (problem, mapping) in enumerate(zip(workload, mappings, strict=True)):
        by_part = dict(zip(names, cost.cycles_by_part[index].tolist(), strict=True))
        spent = [pj / 1e6 for pj in cost.energy_by_part_pj[index].tolist()]
        layers.append(
            {
                "name": problem.name,
                "count": problem.count,
                "problem": problem.as_dict(),
                "mapping": format_shorthand(mapping, accelerator),
                "energy_uj": cost.energy_pj[index].item() / 1e6,
                "cycles": cost.cycles[index].item(),
                "bottleneck": max(by_part, key=lambda part: by_part[part]),
                "energy_by_part_uj": dict(zip(names, spent, strict=True)),
                "cycles_by_part": by_part,
            }
        )
    return {
        "edp": energy * cycles,
        "energy_uj": energy,
        "cycles": cycles,
        "area_mm2": float(area_mm2(accelerator, hardware)),
        "objective": "edp",
        "workload": workload.name,
        "accelerator": accelerator.name,
        "hardware": {name: value.item() for name, value in hardware.items()},
        "layers": layers,
        "samples": 123456,
        "seconds": 42.5,
        "seed": 0,
        "strategy": "random",
        "status": "complete",
        "versions": {"tilegrad": "0.1.0", "torch": "2.4"},
        "git": None,
    }


@pytest.fixture(scope="session")
def gemmini() -> Accelerator:
    """Return the packaged accelerator."""
    return load_accelerator("gemmini")


@pytest.fixture(scope="session")
def resnet50() -> Workload:
    """Return the packaged network."""
    return load_workload("resnet50")


@pytest.fixture
def record(resnet50: Workload, gemmini: Accelerator) -> Record:
    """Return result.json's content for ResNet-50."""
    return make_record(resnet50, gemmini)


@pytest.fixture
def record_of(gemmini: Accelerator) -> Callable[[Workload], Record]:
    """Return a function that makes result.json's content for any workload."""
    return lambda workload: make_record(workload, gemmini)


@pytest.fixture
def leave_run(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes what a run leaves and returns its directory."""

    def leave(record: Record, history: str = HISTORY) -> Path:
        (tmp_path / "result.json").write_text(json.dumps(record))
        (tmp_path / "history.csv").write_text(history)
        return tmp_path

    return leave
