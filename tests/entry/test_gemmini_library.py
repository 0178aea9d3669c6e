"""``search.py strategy=gemmini_library``: the baseline of Gemmini's own tiles."""

from __future__ import annotations

import json
import random
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


def test_a_target_takes_the_design_out(command: Command) -> None:
    ended = command(*RUN, *FIXED, "target=gemmini", "dir=run")
    assert ended.code == 0, ended.err
    assert "gemmini: 2 programs in run/gemmini; none was run" in ended.err
    ended = command(*RUN, *FIXED, "target=gemmini", "target.simulator=echo", "dir=run")
    assert ended.code == 0, ended.err
    assert "run/gemmini/logs/000_conv.log: holds no line" in ended.err
    assert Path("run/result.json").exists()
    ended = command("accelerator=eyeriss", "target=gemmini", "dir=other")
    assert ended.code == 2
    assert "eyeriss is no Gemmini" in ended.err
    assert not Path("other").exists()


def layer_table(draws: random.Random, layers: int) -> str:
    """Return a legal table: batches, strides, odd and prime sizes, products and convolutions."""
    rows = []
    for place in range(layers):
        kernel, stride = draws.choice([1, 1, 3, 5, 7]), draws.choice([1, 1, 2, 3])
        high = draws.choice([1, draws.randint(1, 57)])
        sizes = [draws.randint(1, 57), high, draws.randint(1, 300), draws.randint(1, 300)]
        row = [f"layer{place}", kernel, kernel, *sizes, draws.randint(1, 9), stride, stride]
        rows.append(",".join(map(str, row)))
    return "layer,R,S,P,Q,C,K,N,Wstride,Hstride\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize("sizes", [(16, 128, 32), (16, 33, 9), (5, 12, 3), (32, 130, 100)])
@pytest.mark.parametrize("seed", range(2))
def test_any_legal_table_has_a_design(
    command: Command, sizes: tuple[int, int, int], seed: int
) -> None:
    Path("many.csv").write_text(layer_table(random.Random(seed), 30))
    names = ("pe_dim", "scratchpad_kb", "accumulator_kb")
    fixed = [f"hardware.{name}={size}" for name, size in zip(names, sizes, strict=True)]
    ended = command(*RUN, "workload=many.csv", *fixed, "dir=run")
    assert ended.code == 0, ended.err
    found = json.loads(Path("run/result.json").read_text())
    assert found["hardware"] == dict(zip(names, sizes, strict=True))
    assert len(found["layers"]) == 30


def test_a_layer_that_cannot_run_is_named(command: Command) -> None:
    """A step of 64 x 64 takes 4 KB of Weights; there is 1 KB."""
    fixed = ("hardware.pe_dim=64", "hardware.scratchpad_kb=1", "hardware.accumulator_kb=32")
    Path("wide.csv").write_text("layer,R,S,P,Q,C,K\nnarrow,1,1,8,1,4,4\nwide,1,1,64,1,64,64\n")
    ended = command(*RUN, *fixed, "workload=wide.csv", "dir=run")
    assert ended.code == 2
    assert "layer 'wide' does not fit, by one step of the array: Scratchpad must hold" in ended.err
    assert "more than its 1 KB" in ended.err


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
