"""Every count of layers that are no plain convolutions, against real Timeloop runs."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
import torch

from tests.helpers_golden import ARCHITECTURES, COUNTING
from tests.helpers_published import FACTS
from tilegrad.accelerator import Accelerator, load_accelerator
from tilegrad.cost import layer_cost
from tilegrad.mapping.shorthand import parse_shorthands
from tilegrad.nest import Nest, analyse
from tilegrad.shape import INPUTS, ROLES
from tilegrad.workload import Problem, read_layer_table

RECORDED = FACTS / "timeloop_shapes"
LAYERS = {layer.name: layer for layer in read_layer_table(RECORDED / "layers.csv")}
RUNS = {
    "2022-fork": pd.read_parquet(RECORDED / "runs_2022.parquet"),
    "head": pd.read_parquet(RECORDED / "runs.parquet"),
}
"""Runs by Timeloop's version."""

EACH = {"2022-fork": 12, "head": 50}
"""How many there are of each layer on each accelerator."""

PASSING = {"2022-fork": {"eyeriss": 6, "simba": 4}, "head": {"eyeriss": 22, "simba": 7}}
"""In how many neighbours pass Inputs to each other, which is not modelled."""

COUNTS = ("tile", "instances", "reads", "fills", "updates")


def kept(accelerator: Accelerator) -> list[tuple[int, str]]:
    """Return the places that have counts, in the order in which they were recorded."""
    levels = enumerate(accelerator.levels)
    return [(index, tensor) for index, level in levels for tensor in ROLES if tensor in level.keeps]


def counted(nest: Nest, accelerator: Accelerator, runs: int) -> torch.Tensor:
    """Return the counts ``[run, place x count]``."""
    found = []
    for index, tensor in kept(accelerator):
        words = nest.accesses[index][tensor]
        found += [words.tile, nest.instances[index], words.reads, words.fills, words.updates]
    return torch.stack([each.expand(runs) for each in found], -1)


@pytest.mark.parametrize("layer", LAYERS.values(), ids=lambda layer: layer.name)
@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("version", COUNTING)
def test_counts_and_cycles_are_timeloops(version: str, arch: str, layer: Problem) -> None:
    table = RUNS[version]
    runs = table[(table.arch == arch) & (table.layer == layer.name)]
    assert len(runs) == EACH[version]
    described = load_accelerator(str(RECORDED / f"{arch}.yaml"))
    accelerator = replace(described, counting=COUNTING[version]).running(layer.shape)
    mapping = parse_shorthands(list(runs.mapping), accelerator)
    bounds = torch.tensor(layer.bounds, dtype=torch.float64)
    assert torch.equal(mapping.bounds(), bounds.expand(len(runs), -1))
    nest = analyse(mapping, torch.tensor(layer.strides, dtype=torch.float64), accelerator)
    ours = counted(nest, accelerator, len(runs))
    theirs = torch.tensor([list(counts) for counts in runs.counts], dtype=torch.float64)
    assert theirs.shape == ours.shape
    passed_on = torch.tensor(list(runs.passed_on > 0))
    assert torch.equal(ours[~passed_on], theirs[~passed_on])
    check_passed_on(ours[passed_on], theirs[passed_on], accelerator)
    cycles = layer_cost(nest, accelerator, {}).cycles.expand(len(runs))
    recorded = torch.tensor(list(runs.cycles), dtype=torch.float64)
    assert torch.equal(cycles[~passed_on], recorded[~passed_on])
    assert (cycles[passed_on] >= recorded[passed_on]).all()


def check_passed_on(ours: torch.Tensor, theirs: torch.Tensor, accelerator: Accelerator) -> None:
    """Check runs in which neighbours pass Inputs on: nothing but these words' way differs."""
    changed = ("reads", "fills")
    columns = {
        len(COUNTS) * place + COUNTS.index(name)
        for place, (_, tensor) in enumerate(kept(accelerator))
        for name in changed
        if tensor == INPUTS
    }
    differing = set((ours != theirs).any(0).nonzero().flatten().tolist())
    assert differing <= columns


@pytest.mark.parametrize("version", COUNTING)
def test_few_runs_have_neighbours_that_pass_words_on(version: str) -> None:
    passing = RUNS[version][RUNS[version].passed_on > 0]
    assert passing.groupby("arch").size().to_dict() == PASSING[version]
    for _, run in passing.iterrows():
        layer = LAYERS[run.layer]
        shape = layer.shape
        sums = [axis.dims for axis in shape.tensor(INPUTS) if len(axis.dims) > 1]
        running = load_accelerator(str(RECORDED / f"{run.arch}.yaml")).running(shape)
        mapping = parse_shorthands([run.mapping], running)[0]
        spread, stepped = mapping.spatial.prod(-2).prod(-2) > 1, mapping.temporal.prod(-2) > 1
        assert any((spread[a] and stepped[b]) or (spread[b] and stepped[a]) for a, b in sums), (
            run.mapping
        )
