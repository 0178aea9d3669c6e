"""Products of a design run as convolutions where a model of the commands says that is faster."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.helpers import gemmini
from tests.search.helpers import Limits, small_problem
from tilegrad.machines.gemmini.given import GivenCall
from tilegrad.mapping import LoopNest, parse_shorthand, stack
from tilegrad.predictors.latency import predicted_latency
from tilegrad.pretrained import checkpoint_path
from tilegrad.search import SearchProblem, design_record
from tilegrad.shape.conv import DIMS
from tilegrad.targets.gemmini.faster import with_faster_calls
from tilegrad.workload import Problem, Workload

ONE = {"R": 1, "S": 1, "Q": 1}
MAPPINGS = {
    Problem.from_fields("block", {**ONE, "P": 16, "C": 16, "K": 16}): (
        "L3[WIO] P2 - L2[WI] N1 K16X - L1[O] P8 C16X - L0[W] N1"
    ),
    Problem.from_fields("deep", {**ONE, "P": 14, "Q": 14, "C": 256, "K": 256}): (
        "L3[WIO] K8 - L2[WI] N1 K16X - L1[O] K2 C16 Q14 P14 C16X - L0[W] N1"
    ),
    Problem.from_fields("shallow", {**ONE, "P": 28, "Q": 28, "C": 24, "K": 48}): (
        "L3[WIO] Q7 - L2[WI] N1 K16X - L1[O] K3 C2 Q4 P28 C12X - L0[W] N1"
    ),
    Problem.from_fields("long", {**ONE, "P": 512, "C": 512, "K": 32}): (
        "L3[WIO] P2 C4 - L2[WI] N1 K16X - L1[O] K2 C8 P256 C16X - L0[W] N1"
    ),
    Problem.from_fields("kernel", {"R": 3, "S": 3, "P": 14, "Q": 14, "C": 64, "K": 64}): (
        "L3[WIO] K4 - L2[WI] N1 K16X - L1[O] C4 S3 R3 Q14 P14 C16X - L0[W] N1"
    ),
}


PREDICTED = ("predicted_cycles", "predicted_interval", "outside_training_range")
AS_ONE = "tiled_conv batches=1 orows=1 ocols=16 ochs=16 krows=1 kcols=1 kchs=16"
"""The first mapping as its product runs: in a whole block."""
SAME_TILE = "tiled_conv batches=1 orows=14 ocols=14 ochs=32 krows=1 kcols=1 kchs=256"
VERILATED = {"memory_latency": 40, "memory_cache_kb": 0, "issue_cycles": 50, "start_cycles": 100}
"""The machine of docs/rtl.md on which both calls of these layers were measured."""


@pytest.fixture(scope="module")
def problem() -> SearchProblem:
    accelerator = replace(gemmini(), machine=VERILATED)
    model = predicted_latency(checkpoint_path("gemmini_rtl"), "gemmini_rtl", accelerator, 4.0)
    sizes = {"pe_dim": 16.0, "scratchpad_kb": 128.0, "accumulator_kb": 32.0}
    limits, workload = Limits(hardware=sizes, caps={}), Workload("calls", tuple(MAPPINGS))
    return small_problem(limits=limits, workload=workload, accelerator=accelerator, model=model)


@pytest.fixture(scope="module")
def design(problem: SearchProblem) -> LoopNest:
    return stack([parse_shorthand(text, problem.accelerator) for text in MAPPINGS.values()])


@torch.no_grad()
def test_the_faster_call_is_recorded(problem: SearchProblem, design: LoopNest) -> None:
    """As measured: 229 against 279 cycles and 56,161 against 57,488; of the others 13,765 against
    6,883 and 37,287 against 36,967.
    """
    there = with_faster_calls(problem, design)
    assert there.calls == (AS_ONE, SAME_TILE, None, None, None)
    before, after = (design_record(design, each)["layers"] for each in (problem, there))
    assert [layer.get("call") for layer in after] == list(there.calls)
    assert not any("call" in layer for layer in before)
    for old, new in zip(before, after, strict=True):
        changed = "call" in new
        assert (new["predicted_cycles"] < old["predicted_cycles"]) == changed
        same = {**new, **{name: old[name] for name in PREDICTED}}
        assert {name: value for name, value in same.items() if name != "call"} == old
    assert with_faster_calls(there, design) is there


@torch.no_grad()
def test_it_is_priced_as_a_table_prices_it(problem: SearchProblem, design: LoopNest) -> None:
    there = with_faster_calls(problem, design)
    priced = [layer["predicted_cycles"] for layer in design_record(design, there)["layers"]]
    for place, call in enumerate(there.calls[:2]):
        given = GivenCall.read(str(call))
        assert given is not None
        layer = problem.workload.layers[place]
        alone = replace(problem, workload=Workload("alone", (layer,)))
        row = given.row(dict(zip(DIMS, layer.bounds, strict=True)), 16).unsqueeze(0)
        assert alone.learned is not None
        model = alone.learned.calling(row)
        sums = replace(alone, model=model).footprint(design[place].alone())
        (cycles,) = model.predicted(sums, problem.accelerator, problem.hardware.fixed)
        assert priced[place] == pytest.approx(float(cycles), rel=1e-9)
