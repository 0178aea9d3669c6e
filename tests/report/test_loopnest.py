"""The printed loop nest, against counts made here from the problem alone."""

from __future__ import annotations

import math
import re

import pytest

from tilegrad.accelerator import Accelerator
from tilegrad.mapping import parse_shorthand
from tilegrad.report import loop_nest_text
from tilegrad.shape import packaged_shape
from tilegrad.workload import Problem

PROBLEM = Problem("stem", (7, 7, 112, 112, 3, 64, 1), (2, 2, 1, 1))
SHORTHAND = "L3[WIO] P8 - L2[WI] N1 K64X - L1[O] R7 S7 Q112 C3X - L0[W] P14"


@pytest.fixture
def text(gemmini: Accelerator) -> str:
    return loop_nest_text(parse_shorthand(SHORTHAND, gemmini), gemmini, PROBLEM)


def test_loops_are_indented_in_order(text: str) -> None:
    loops = re.findall(r"^( *)((?:parallel-)?for .*)$", text, re.MULTILINE)
    assert [line for _, line in loops] == [
        "for p in 0..7",
        "parallel-for k in 0..63 (X)",
        "for r in 0..6",
        "for s in 0..6",
        "for q in 0..111",
        "parallel-for c in 0..2 (X)",
        "for p in 0..13",
    ]
    assert [len(indent) for indent, _ in loops] == list(range(0, 14, 2))
    assert math.prod(int(n) + 1 for n in re.findall(r"0\.\.(\d+)", text)) == PROBLEM.macs


def test_levels_name_what_they_keep(text: str) -> None:
    assert "# Scratchpad: Weights 9,408 words (9.188 KB), Inputs 22,671 words (22.14 KB)" in text
    assert "# Accumulator, each of 64 instances: Outputs 1,568 words (6.125 KB)" in text
    assert "# Registers, each of 192 instances: Weights 1 word (1 B)" in text


def test_heading_holds_problem_and_shorthand(text: str) -> None:
    first, second = text.splitlines()[:2]
    assert first.startswith("stem, 1 x: R=7 S=7 P=112 Q=112 C=3 K=64 N=1 Wstride=2")
    assert f"({PROBLEM.macs:,} MACs)" in first
    assert second == SHORTHAND


def test_traffic_of_every_level(text: str) -> None:
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("level"))
    rows = {
        tuple(re.split(r"  +", line)[:3:2]): re.split(r"  +", line)[5:] for line in lines[start:]
    }
    sizes = PROBLEM.tensor_sizes()
    updates = PROBLEM.macs // 3
    assert rows["DRAM", "Inputs"] == [f"{sizes['Inputs']:,}", "0", "0"]
    assert rows["DRAM", "Outputs"] == ["0", "0", f"{sizes['Outputs']:,}"]
    assert rows["Scratchpad", "Weights"] == [
        f"{8 * sizes['Weights']:,}",
        f"{sizes['Weights']:,}",
        "0",
    ]
    assert rows["Scratchpad", "Inputs"][0] == f"{PROBLEM.macs // 64:,}"
    assert rows["Accumulator", "Outputs"][2] == f"{updates:,}"
    assert rows["Registers", "Weights"][0] == f"{PROBLEM.macs:,}"


def test_columns_line_up(text: str) -> None:
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("level"))
    assert len({len(line) for line in lines[start:]}) == 1


def test_a_layer_of_another_shape_has_its_own_dims(gemmini: Accelerator) -> None:
    shape = packaged_shape("batched_matmul")
    problem = Problem("scores", (12, 8, 16, 4), shape=shape)
    shorthand = "L3[WIO] G12 - L2[WI] N1 K4X - L1[O] P2 C4 C4X - L0[W] P4"
    mapping = parse_shorthand(shorthand, gemmini.running(shape))
    text = loop_nest_text(mapping, gemmini, problem)
    loops = [line.strip() for line in text.splitlines() if " in 0.." in line]
    assert loops == [
        "for g in 0..11",
        "parallel-for k in 0..3 (X)",
        "for p in 0..1",
        "for c in 0..3",
        "parallel-for c in 0..3 (X)",
        "for p in 0..3",
    ]
    assert text.startswith("scores, 1 x: G=12 P=8 C=16 K=4 (6,144 MACs)")
    # Every group has operands of its own, each of which is read once.
    words = {tensor: str(size) for tensor, size in problem.tensor_sizes().items()}
    outermost = [re.split(r"  +", line) for line in text.splitlines() if line.startswith("DRAM")]
    assert {row[2]: row[5].replace(",", "") for row in outermost if row[2] != "Outputs"} == {
        tensor: size for tensor, size in words.items() if tensor != "Outputs"
    }
