"""A small whole record, as JSON decodes it."""

from __future__ import annotations

from typing import Any


def whole_record() -> dict[str, Any]:
    """Return the record of a search of one layer."""
    problem = dict.fromkeys(("R", "S", "Q", "N", "Wstride", "Hstride", "Wdilation", "Hdilation"), 1)
    return {
        "edp": 2.0,
        "energy_uj": 0.5,
        "cycles": 4,
        "area_mm2": 1.25,
        "objective": "edp",
        "workload": "one",
        "accelerator": "gemmini",
        "hardware": {"pe_dim": 8, "scratchpad_kb": 16, "accumulator_kb": 8.5},
        "layers": [
            {
                "name": "conv",
                "count": 2,
                "problem": problem | {"P": 16, "C": 64, "K": 8},
                "mapping": "L3[WIO] C4 P8 - L2[WI] N1 K8X - L1[O] P2 C2 C8X - L0[W] N1",
                "energy_uj": 0.25,
                "cycles": 2,
                "bottleneck": "DRAM",
                "energy_by_part_uj": {"arithmetic": 0.1, "DRAM": 0.15},
                "cycles_by_part": {"arithmetic": 1, "DRAM": 2},
            }
        ],
        "samples": 10,
        "seconds": 0.5,
        "seed": 0,
        "strategy": "random",
        "status": "complete",
        "versions": {"tilegrad": "0.1.0"},
        "git": None,
    }
