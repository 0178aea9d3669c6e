"""Searches by a model whose latency jumps with the array: each array by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.helpers import gemmini
from tests.search.helpers import BRIEF_GRADIENT, TINY, small_problem
from tilegrad.predictors.latency import predicted_latency
from tilegrad.pretrained import checkpoint_path
from tilegrad.search import Budget, SearchProblem, SearchState, hardware_space
from tilegrad.search.gradient.sides import told_apart

MODEL = predicted_latency(checkpoint_path("gemmini_rtl"), "gemmini_rtl", gemmini(), 4.0)


def problem_of(caps: dict[str, object], fixed: dict[str, object]) -> SearchProblem:
    problem = small_problem(workload=TINY, model=MODEL)
    return replace(problem, hardware=hardware_space(gemmini(), fixed, caps))


SMALL_MEMORIES = {"scratchpad_kb": 4, "accumulator_kb": 4}


def ended(problem: SearchProblem, interrupted: bool = False) -> SearchState:
    """Return a search's end; with ``interrupted`` it goes on from what was kept of each unit."""
    state = SearchState()
    while not state.done:
        for _ in BRIEF_GRADIENT.advance(problem, state, Budget(), 0):
            if interrupted:
                break
        state = SearchState.unpack(state.pack())
    return state


@pytest.mark.parametrize(
    ("caps", "fixed", "sides"),
    [
        ({"pe_dim": 12}, {}, [12, 8, 4]),
        ({"pe_dim": 128}, {}, [16, 8, 4]),
        ({"pe_dim": 3}, {}, [3]),
        ({"pe_dim": 16, "area_mm2": 0.12}, {}, [8, 4]),
        ({"pe_dim": 64}, {"pe_dim": 16}, []),
    ],
)
def test_arrays_are_powers_of_two_and_the_widest_of_use(
    caps: dict[str, object], fixed: dict[str, object], sides: list[int]
) -> None:
    apart = told_apart(problem_of(caps, fixed))
    assert [each.hardware.fixed["pe_dim"] for each in apart] == sides


def test_the_nests_own_latency_knows_no_jumps() -> None:
    assert told_apart(small_problem(workload=TINY)) == []


@pytest.mark.slow
def test_a_free_array_is_no_worse_than_any_that_is_fixed() -> None:
    free = ended(problem_of({**SMALL_MEMORIES, "pe_dim": 16}, {}))
    fixed = [ended(problem_of(SMALL_MEMORIES, {"pe_dim": side})).value for side in (4, 8)]
    assert free.value <= min(fixed) * 1.001


@pytest.mark.slow
def test_an_interrupted_search_ends_as_a_whole_one() -> None:
    problem = problem_of({**SMALL_MEMORIES, "pe_dim": 8}, {})
    whole, parts = ended(problem), ended(problem, interrupted=True)
    assert (parts.value, parts.samples, parts.edp) == (whole.value, whole.samples, whole.edp)
