"""A design on Gemmini with layers of every kind, and a host compiler for exported programs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

STUB = Path(__file__).parent / "gemmini_stub"
DEFAULT = {"pe_dim": 16, "scratchpad_kb": 128, "accumulator_kb": 32}

LAYERS: dict[str, tuple[dict[str, int], str]] = {
    "matrix product": (
        {"R": 1, "S": 1, "P": 128, "Q": 1, "C": 768, "K": 64},
        "L3[WIO] K4 P2 - L2[WI] N1 K16X - L1[O] P32 C48 C16X - L0[W] P2",
    ),
    "ragged product": (
        {"R": 1, "S": 1, "P": 128, "Q": 1, "C": 768, "K": 64},
        "L3[WIO] K4 P32 - L2[WI] N1 K16X - L1[O] P4 C48 C16X - L0[W] N1",
    ),
    "fully connected": (
        {"R": 1, "S": 1, "P": 1, "Q": 1, "C": 512, "K": 1000, "N": 1},
        "L3[WIO] K125 - L2[WI] N1 K8X - L1[O] C32 C16X - L0[W] N1",
    ),
    "dilated/conv": (
        {"R": 3, "S": 3, "P": 14, "Q": 28, "C": 32, "K": 48, "N": 2}
        | {"Wdilation": 2, "Hdilation": 2},
        "L3[WIO] N2 C2 Q7 K3 - L2[WI] N1 K16X - L1[O] R3 S3 Q4 P7 C16X - L0[W] P2",
    ),
    "strided conv": (
        {"R": 7, "S": 7, "P": 112, "Q": 112, "C": 3, "K": 64, "Wstride": 2, "Hstride": 2},
        "L3[WIO] P112 - L2[WI] N1 K16X - L1[O] K4 S7 R7 Q112 C3X - L0[W] N1",
    ),
    "few channels": (
        {"R": 7, "S": 7, "P": 112, "Q": 112, "C": 3, "K": 64, "Wstride": 4, "Hstride": 4},
        "L3[WIO] Q28 K4 - L2[WI] N1 K16X - L1[O] S7 R7 Q4 P56 C3X - L0[W] P2",
    ),
    "depthwise conv": (
        {"R": 3, "S": 3, "P": 14, "Q": 12, "C": 1, "K": 1, "N": 2, "G": 40},
        "L3[WIO] Q6 G20 - L2[WI] N1 - L1[O] G2 S3 R3 Q2 P14 N2 - L0[W] N1",
    ),
    "grouped conv": (
        {"R": 3, "S": 3, "P": 14, "Q": 14, "C": 12, "K": 8, "G": 6, "Wstride": 2, "Hstride": 2},
        "L3[WIO] G3 Q2 - L2[WI] N1 K8X - L1[O] G2 S3 R3 Q7 P7 C12X - L0[W] P2",
    ),
    "dilated depthwise": (
        {"R": 3, "S": 3, "P": 7, "Q": 7, "C": 1, "K": 1, "G": 9, "Wdilation": 2, "Hdilation": 2},
        "L3[WIO] G9 - L2[WI] N1 - L1[O] S3 R3 Q7 P7 - L0[W] N1",
    ),
}
"""Problem and mapping of each layer, by name; they fit 16 x 16 PEs with 128 KB and 32 KB."""
ONE_GROUP = [name for name, (problem, _) in LAYERS.items() if "G" not in problem]


def write_result(directory: Path, names: Sequence[str] = tuple(LAYERS), **changes: Any) -> Path:
    """Write result.json with the layers of those names; ``changes`` replace its fields."""
    layers = [
        {"name": name, "problem": LAYERS[name][0], "mapping": LAYERS[name][1]} for name in names
    ]
    record = {"accelerator": "gemmini", "workload": "some", "hardware": DEFAULT, "layers": layers}
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "result.json").write_text(json.dumps({**record, **changes}))
    return directory


def execute(program: Path, *arguments: str) -> str:
    """Compile a program for this machine as if it were Gemmini's; return what it prints."""
    binary = program.with_suffix(".out")
    compiler = ["gcc", "-std=gnu11", "-O3", "-DBAREMETAL", "-w", *arguments, str(program), "-o"]
    subprocess.run([*compiler, str(binary)], check=True, capture_output=True, text=True)
    return subprocess.run([str(binary)], check=True, capture_output=True, text=True).stdout
