"""The gradient search against optima: enumerated for tiny networks, proven for published ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.helpers import STRIDE_CHOICES, gemmini
from tests.search.brute_force import optimum
from tests.search.helpers import BRIEF_GRADIENT, Limits, run, small_problem
from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.expression import parse_expression
from tilegrad.search import GradientStrategy, Strategy
from tilegrad.workload import Problem, Workload, load_workload

pytestmark = pytest.mark.usefixtures("unchecked")

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


SLOW = ((2,), (7,), (3, 4), (8, 2))
REST = ((3,), (4,), (5,), (6,), (1, 2), (5, 6))


@pytest.mark.parametrize(
    "seeds",
    [
        (1,),
        *[pytest.param(more, marks=pytest.mark.slow) for more in SLOW],
        *[pytest.param(more, marks=pytest.mark.exhaustive) for more in REST],
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
        state, _ = run(problem, BRIEF_GRADIENT, tmp_path / name)
        within = COINCIDENT.get((seeds, name), 1.01)
        assert value * (1 - 1e-9) <= state.value <= value * within, name


AWKWARD = {
    "image": Problem("image", (3, 1, 7, 1, 1, 5, 1), (2, 1, 1, 1)),
    "channels": Problem("channels", (1, 1, 1, 1, 5, 7, 1), count=2),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("image", marks=pytest.mark.exhaustive),
        pytest.param("channels", marks=pytest.mark.slow),
    ],
)
def test_awkward_bounds_reach_the_enumerated_optimum(name: str, tmp_path: Path) -> None:
    """Of all mappings that cover the bounds, those that no search proposes among them."""
    workload = Workload("awkward", (AWKWARD[name],))
    for objective, value in optimum(workload, coarse(), WIDTH, padded=True).items():
        problem = small_problem(objective, Limits({}, {"pe_dim": WIDTH}), workload, coarse())
        state, _ = run(replace(problem, padded=True), BRIEF_GRADIENT, tmp_path / objective)
        # Where area counts, sizes are looked at in steps.
        within = 1.02 if objective == "area-delay" else 1.01
        assert value * (1 - 1e-9) <= state.value <= value * within, objective


def test_padding_gains_where_a_mesh_does_not_divide_the_bounds(tmp_path: Path) -> None:
    workload = Workload("awkward", (AWKWARD["channels"],))
    problem = small_problem("latency", Limits({"pe_dim": WIDTH}), workload, coarse())
    cycles = [
        run(replace(problem, padded=padded), BRIEF_GRADIENT, tmp_path / str(padded))[0].value
        for padded in (False, True)
    ]
    # 5 x 7 channels on 4 x 4 PEs: 2 x 2 steps, where perfect factors use one row or one column.
    assert cycles[1] < cycles[0]


def published_edp(network: str, pe_dim: int, strategy: Strategy, directory: Path) -> float:
    limits = Limits({}, {"pe_dim": pe_dim})
    problem = small_problem("edp", limits, load_workload(network))
    return run(problem, strategy, directory)[0].edp


@pytest.mark.slow
@pytest.mark.parametrize("pe_dim", [128, 16])
def test_bert_is_within_a_percent_of_its_optimum(pe_dim: int, tmp_path: Path) -> None:
    short = GradientStrategy(starts=16, steps=20, polish_rows=50_000)
    edp = published_edp("bert", pe_dim, short, tmp_path)
    assert 0.9999 <= edp / PROVEN["bert", pe_dim] <= 1.01


@pytest.mark.exhaustive
@pytest.mark.parametrize("pe_dim", [128, 16])
def test_resnet_is_within_a_percent_of_its_optimum(pe_dim: int, tmp_path: Path) -> None:
    edp = published_edp("resnet50", pe_dim, GradientStrategy(), tmp_path)
    assert 0.9999 <= edp / PROVEN["resnet50", pe_dim] <= 1.01
