"""The gradient search against optima: enumerated for tiny networks, proven for published ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.helpers import STRIDE_CHOICES, gemmini
from tests.search.brute_force import optimum
from tests.search.helpers import SHORT_GRADIENT, Limits, run, small_problem
from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.expression import parse_expression
from tilegrad.search import GradientStrategy, Strategy
from tilegrad.workload import Problem, Workload, load_workload

WIDTH = 4

PROVEN = {
    ("bert", 128): 1.50687e9,
    ("bert", 16): 5.84686e9,
    ("resnet50", 128): 6.2886e10,
    ("resnet50", 16): 2.14024e11,
}
"""Least EDP [uJ*cycles] for a network and the largest array."""

COINCIDENT = {((3, 4), "energy"): 1.02}
"""Where two steps of a tiny sliding window coincide, a tile in an order that is not a candidate can
be better still: the search tries all orders only for the tiles that it has settled on."""


def coarse() -> Accelerator:
    """Return an accelerator for tiny layers: words so large that they need buffers of many KB.

    Without blocks, of which tiny layers would fill only fractions.
    """
    accelerator = gemmini()
    bits = {"Accumulator": 16384, "Scratchpad": 8192}
    single = parse_expression(1, (), "block")
    levels = (
        replace(level, word_bits=bits.get(level.name, level.word_bits), block=single)
        for level in accelerator.levels
    )
    return replace(accelerator, levels=tuple(levels))


def tiny_layer(seed: int) -> Problem:
    """Return a random layer of three or four loops, with strides and dilations."""
    source = torch.Generator().manual_seed(seed)
    bounds = torch.ones(7, dtype=torch.int64)
    dims = torch.randperm(7, generator=source)[: 3 + seed % 2]
    bounds[dims] = torch.randint(2, 5, (len(dims),), generator=source)
    strides = STRIDE_CHOICES[seed % len(STRIDE_CHOICES)]
    return Problem(f"layer{seed}", tuple(bounds.tolist()), strides, count=1 + seed % 3)


@pytest.mark.parametrize(
    "seeds",
    [
        *[(1,), (2,), (7,), (1, 2), (3, 4), (8, 2)],
        *[pytest.param(more, marks=pytest.mark.slow) for more in ((3,), (4,), (5,), (6,), (5, 6))],
    ],
    ids=str,
)
def test_a_tiny_network_reaches_the_enumerated_optimum(
    seeds: tuple[int, ...], tmp_path: Path
) -> None:
    workload = Workload("tiny", tuple(tiny_layer(seed) for seed in seeds))
    least = optimum(workload, coarse(), WIDTH)
    for name, value in least.items():
        limits = Limits({}, {"pe_dim": WIDTH})
        problem = small_problem(name, limits, workload, coarse())
        state, _ = run(problem, SHORT_GRADIENT, tmp_path / name)
        within = COINCIDENT.get((seeds, name), 1.01)
        assert value * (1 - 1e-9) <= state.value <= value * within, name


def published_edp(network: str, pe_dim: int, strategy: Strategy, directory: Path) -> float:
    limits = Limits({}, {"pe_dim": pe_dim})
    problem = small_problem("edp", limits, load_workload(network))
    return run(problem, strategy, directory)[0].edp


@pytest.mark.parametrize("pe_dim", [128, 16])
def test_bert_is_within_a_percent_of_its_optimum(pe_dim: int, tmp_path: Path) -> None:
    short = GradientStrategy(starts=16, steps=20, polish_rows=50_000)
    edp = published_edp("bert", pe_dim, short, tmp_path)
    assert 0.9999 <= edp / PROVEN["bert", pe_dim] <= 1.01


@pytest.mark.slow
@pytest.mark.parametrize("pe_dim", [128, 16])
def test_resnet_is_within_a_percent_of_its_optimum(pe_dim: int, tmp_path: Path) -> None:
    edp = published_edp("resnet50", pe_dim, GradientStrategy(), tmp_path)
    assert 0.9999 <= edp / PROVEN["resnet50", pe_dim] <= 1.01
