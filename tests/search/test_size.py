"""Very large and very divisible bounds: searched in bounded memory, or refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.helpers import run
from tilegrad.accelerator import load_accelerator
from tilegrad.errors import InfeasibleError, WorkloadError
from tilegrad.mapping.factors import MOST, count_factorisations, factorisations
from tilegrad.mapping.sampling import Sampler
from tilegrad.search import GradientStrategy, SearchProblem, hardware_space, objective
from tilegrad.workload import Problem, Workload, load_workload, packaged_networks

SHORT = GradientStrategy(starts=4, steps=2, polish_rounds=1, polish_rows=2000)


def problem_of(accelerator: str, **bounds: int) -> SearchProblem:
    layer = Problem.from_fields("big", {**dict.fromkeys("RSPQCK", 1), **bounds})
    described = load_accelerator(accelerator)
    space = hardware_space(described, {}, {})
    return SearchProblem(Workload("net", (layer,)), space, objective("edp"))


@pytest.mark.parametrize(
    "bounds",
    [{"K": 10**12}, {"K": 2**53}, {"C": 999_983, "K": 1_000_003}, {"P": 720_720}, {"Q": 2**31 + 1}],
)
def test_large_bounds_are_searched(bounds: dict[str, int], tmp_path: Path) -> None:
    problem = problem_of("gemmini", **bounds)
    problem.check_size()
    state, _ = run(problem, SHORT, tmp_path)
    assert state.best is not None
    found = state.best.temporal.prod(1) * state.best.spatial.prod(1).prod(1)
    assert found[0].tolist() == problem.workload.bounds[0].tolist()


@pytest.mark.parametrize(
    ("accelerator", "bounds", "words"),
    [
        (
            "gemmini",
            {"K": 10**12, "C": 10**12},
            "make 1e.24 multiply-accumulates .*9007199254740992",
        ),
        ("gemmini", {"P": 2**52, "R": 2**52}, "multiply-accumulates"),
        ("simba", {"K": 720_720}, "layer 'big', field K: 720720 splits .* of simba in 1,0"),
        ("eyeriss", {"K": 10**12}, "layer 'big', field K: 1000000000000 splits"),
    ],
)
def test_what_memory_or_arithmetic_cannot_hold_is_refused(
    accelerator: str, bounds: dict[str, int], words: str
) -> None:
    with pytest.raises(WorkloadError, match=words):
        problem_of(accelerator, **bounds).check_size()


def test_random_mappings_refuse_what_memory_cannot_hold() -> None:
    problem = problem_of("eyeriss", K=10**12)
    with pytest.raises(InfeasibleError, match="1000000000000 splits over 7 loops in"):
        Sampler(load_accelerator("eyeriss"), problem.workload.layers[0], {})


@pytest.mark.parametrize("accelerator", ["gemmini", "simba", "eyeriss", "nvdla_large"])
def test_packaged_networks_are_far_from_the_limit(accelerator: str) -> None:
    described = load_accelerator(accelerator)
    for name in packaged_networks():
        space = hardware_space(described, {}, {})
        problem = SearchProblem(load_workload(name), space, objective("edp"))
        assert max(max(table.counted()) for table in problem.tables) < MOST / 10


@pytest.mark.parametrize("bound", [1, 97, 360, 2**12, 5040])
@pytest.mark.parametrize("limits", [(), (7,), (10**4, 16, 5), (3, 3, 3, 3)])
def test_choices_are_counted_without_being_made(bound: int, limits: tuple[int, ...]) -> None:
    assert count_factorisations(bound, limits) == len(factorisations(bound, limits))
