"""``search.py strategy=gemmini_library``: the baseline of Gemmini's own tiles."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers_scripts import Command

RUN = ("workload=small.csv", "strategy=gemmini_library", "report=false", "progress=false")
FIXED = ("hardware.pe_dim=16", "hardware.scratchpad_kb=128", "hardware.accumulator_kb=32")


def test_a_run_leaves_the_one_design(command: Command) -> None:
    ended = command(*RUN, *FIXED, "dir=run")
    assert ended.code == 0, ended.err
    found = json.loads(Path("run/result.json").read_text())
    assert found["status"] == "complete"
    assert found["samples"] == 1
    assert found["hardware"] == {"pe_dim": 16, "scratchpad_kb": 128, "accumulator_kb": 32}
    for layer in found["layers"]:
        # Layers this small are one tile each: no loop is left to DRAM.
        assert layer["mapping"].startswith("L3[WIO] N1 - ")
    assert command(*RUN, *FIXED, "seed=1", "dir=again").code == 0
    again = json.loads(Path("again/result.json").read_text())
    assert again["layers"] == found["layers"]


def test_cycles_are_predicted_of_the_librarys_tiles(command: Command) -> None:
    assert command(*RUN, *FIXED, "ckpt=gemmini_rtl", "dir=run").code == 0
    predicted = json.loads(Path("run/result.json").read_text())["predicted"]
    assert predicted["cycles_low"] < predicted["cycles"] < predicted["cycles_high"]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (FIXED[:2], ("hardware.accumulator_kb is null", "strategy=gemmini_library")),
        ((), ("hardware.pe_dim is null", "legal: numbers for pe_dim, scratchpad_kb")),
        (("accelerator=eyeriss",), ("eyeriss is no Gemmini", "Accumulator")),
    ],
)
def test_what_is_refused(
    command: Command, arguments: tuple[str, ...], names: tuple[str, ...]
) -> None:
    ended = command(*RUN, *arguments, "dir=run")
    assert ended.code == 2
    assert not [name for name in names if name not in ended.err], ended.err
    assert not Path("run").exists()
