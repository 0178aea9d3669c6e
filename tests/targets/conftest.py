"""A small result of a search on Gemmini and fake executables that stand for Timeloop."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MAPPING = "L3[WIO] C4 P8 - L2[WI] N1 K8X - L1[O] P2 C2 C8X - L0[W] N1"
PROBLEM = {"R": 1, "S": 1, "P": 16, "Q": 1, "C": 64, "K": 8, "N": 1}

RECORDED = """\
Level 0
    STATS
    Energy (total)          : 4594.07 pJ

Level 1
        Energy (total)                           : 18000.25 pJ

Summary Stats
-------------
GFLOPs (@1GHz): 23.56
Utilization: 4.69%
Cycles: 512
Energy: 0.02 uJ
EDP(J*cycle): 1.37e+02
Area: 0.00 mm^2
"""
"""The lines of ``timeloop-model.stats.txt`` that matter, as version 4cf6d4c prints them."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's directory with its result.json: two layers."""
    layer = {
        "problem": PROBLEM,
        "mapping": MAPPING,
        "cycles": 512,
        "energy_uj": 0.0226,
        "bottleneck": "DRAM",
        "energy_by_part_uj": {"DRAM": 0.0226},
        "cycles_by_part": {"DRAM": 512},
    }
    result = {
        "edp": 46.3,
        "energy_uj": 0.0452,
        "cycles": 1024,
        "area_mm2": 1.0,
        "objective": "edp",
        "workload": "two",
        "accelerator": "gemmini",
        "hardware": {"pe_dim": 8, "scratchpad_kb": 16, "accumulator_kb": 8},
        "layers": [{"name": "one", **layer}, {"name": "two/b", **layer}],
        "samples": 1,
        "seconds": 0.1,
        "seed": 0,
        "strategy": "random",
        "status": "complete",
        "versions": {},
        "git": None,
    }
    directory = tmp_path / "run"
    directory.mkdir()
    (directory / "result.json").write_text(json.dumps(result))
    return directory


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return a function that puts a Python program on PATH as ``timeloop-model``."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")

    def install(program: str) -> Path:
        path = directory / "timeloop-model"
        path.write_text(f"#!{sys.executable}\n{program}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return install
