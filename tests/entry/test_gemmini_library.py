"""``search.py strategy=gemmini_library``: the baseline of Gemmini's own tiles."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
import torch

from tests.helpers_scripts import Command
from tilegrad.accelerator import load_accelerator
from tilegrad.datamodules import feature_rows
from tilegrad.predictors.checkpoint import load_predictor
from tilegrad.predictors.features import feature_set
from tilegrad.pretrained import checkpoint_path
from tilegrad.schedules import TableFile
from tilegrad.targets.gemmini import parse_logs

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


def test_ragged_tiles_are_priced_as_they_run(command: Command) -> None:
    """Searched, exported, "measured" and read back as a table: the same call, the same cycles."""
    Path("ragged.csv").write_text("layer,R,S,P,Q,C,K\nc,3,3,28,28,64,100\nm,1,1,197,1,300,200\n")
    run = ("workload=ragged.csv", "ckpt=gemmini_rtl", "target=gemmini", "dir=run")
    assert command(*RUN, *FIXED, *run).code == 0
    result = json.loads(Path("run/result.json").read_text())
    calls = [layer["call"] for layer in result["layers"]]
    assert calls == [
        "tiled_conv batches=1 orows=22 ocols=23 ochs=16 krows=3 kcols=3 kchs=64",
        "tiled_matmul tile_I=5 tile_J=6 tile_K=19",
    ]
    assert result["predicted"]["cycles_low"] < result["predicted"]["cycles"]
    programs = sorted(Path("run/gemmini/layers").iterdir())
    for program in programs:
        line = re.search(r'"(tilegrad: begin .+?)\\n"', program.read_text())
        assert line is not None
        program.with_suffix(".log").write_text(
            f"{line[1]}\ntilegrad: end {program.stem} cycles=9000\n"
        )
    assert "1, 22, 23, 16, /* batches" in programs[0].read_text()
    accelerator = load_accelerator("gemmini")
    logs = [program.with_suffix(".log") for program in programs]
    assert parse_logs(logs, accelerator, Path("measured.csv")) == 2
    predictor = load_predictor(checkpoint_path("gemmini_rtl"), accelerator)
    features = feature_set(predictor.schema.features)
    table = TableFile("measured.csv", accelerator).load()
    with torch.no_grad():
        found = predictor(feature_rows(table, features, ("latency",)).features).exp().squeeze(-1)
    predicted = [layer["predicted_cycles"] for layer in result["layers"]]
    assert found.tolist() == pytest.approx(predicted, rel=1e-4)


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


@pytest.mark.parametrize(
    ("seed", "sizes"),
    list(enumerate([(16, 128, 32), (16, 33, 9), (5, 12, 3), (32, 130, 100)])),
)
def test_any_legal_table_has_a_design(
    command: Command, sizes: tuple[int, int, int], seed: int
) -> None:
    Path("many.csv").write_text(layer_table(random.Random(seed), 12))
    names = ("pe_dim", "scratchpad_kb", "accumulator_kb")
    fixed = [f"hardware.{name}={size}" for name, size in zip(names, sizes, strict=True)]
    ended = command(*RUN, "workload=many.csv", *fixed, "dir=run")
    assert ended.code == 0, ended.err
    found = json.loads(Path("run/result.json").read_text())
    assert found["hardware"] == dict(zip(names, sizes, strict=True))
    assert len(found["layers"]) == 12


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
