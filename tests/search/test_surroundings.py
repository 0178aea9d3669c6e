"""What lies around a found design: legal, as exact as any design, and no worse than it need be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.helpers import BRIEF_GRADIENT, TINY, Limits, run, small_problem
from tilegrad.accelerator import load_accelerator
from tilegrad.mapping import LoopNest
from tilegrad.search import Budget, SearchProblem, SearchState, Surroundings
from tilegrad.search.random import RandomStrategy
from tilegrad.search.surroundings import rechosen
from tilegrad.workload import Problem, Workload


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[SearchProblem, SearchState]:
    problem = small_problem("edp", Limits({}, {"pe_dim": 8}), TINY)
    return problem, run(problem, BRIEF_GRADIENT, tmp_path_factory.mktemp("found"))[0]


def best_of(state: SearchState) -> LoopNest:
    assert state.best is not None
    return state.best


def sizes(problem: SearchProblem, state: SearchState) -> dict[str, float]:
    cost, _ = problem.evaluate(best_of(state).alone())
    return {name: float(value) for name, value in cost.hardware.items()}


def edp(problem: SearchProblem, state: SearchState, hardware: dict[str, float]) -> float:
    cost = rechosen(problem, best_of(state), hardware, Budget())
    assert cost is not None
    assert {name: float(value) for name, value in cost.hardware.items()} == hardware
    assert bool(cost.fits.all())
    return float(cost.energy_pj[0] * cost.cycles[0]) * 1e-6


def test_the_design_is_found_again_on_its_own_hardware(
    found: tuple[SearchProblem, SearchState],
) -> None:
    problem, state = found
    # What is left out of the choice are roundings to whole blocks.
    assert edp(problem, state, sizes(problem, state)) <= state.edp * (1 + 1e-6)


@pytest.mark.parametrize("name", ["pe_dim", "scratchpad_kb", "accumulator_kb"])
@pytest.mark.parametrize("factor", [0.5, pytest.param(2, marks=pytest.mark.slow)])
def test_other_hardware_is_priced_as_a_search_of_its_own_would(
    name: str, factor: float, found: tuple[SearchProblem, SearchState], tmp_path: Path
) -> None:
    problem, state = found
    hardware = sizes(problem, state)
    hardware[name] = float(max(2, int(factor * hardware[name])))
    quick = edp(problem, state, hardware)
    own = small_problem("edp", Limits(hardware, {}), TINY)
    searched = run(own, BRIEF_GRADIENT, tmp_path)[0]
    assert searched.edp * 0.999 <= quick <= searched.edp * 1.05


def test_the_record_names_all_there_is(found: tuple[SearchProblem, SearchState]) -> None:
    problem, state = found
    fields = Surroundings(problem, best_of(state)).record(state)
    assert [each["name"] for each in fields["baselines"]] == [
        "1,000 random designs",
        "the default hardware",
    ]
    assert fields["baselines"][1]["hardware"] == {
        "pe_dim": 16,
        "scratchpad_kb": 128,
        "accumulator_kb": 32,
    }
    here = sizes(problem, state)
    scaled = {
        f"{name} {word}": int(here[name] * factor)
        for name in here
        for word, factor in (("halved", 0.5), ("doubled", 2))
        if int(here[name] * factor) >= problem.accelerator.parameters[name].minimum
    }
    assert {each["name"] for each in fields["sensitivity"]} == set(scaled)
    for each in fields["sensitivity"]:
        name = each["name"].split()[0]
        assert each["hardware"] == {**here, name: scaled[each["name"]]}
        assert each["edp"] == each["energy_uj"] * each["cycles"]
    again = Surroundings(problem, best_of(state)).record(state)
    assert again == fields


def test_a_spent_budget_leaves_nothing_out_in_silence(
    found: tuple[SearchProblem, SearchState],
) -> None:
    problem, state = found
    assert Surroundings(problem, best_of(state), Budget(seconds=1.0).begin(1.0)).record(state) == {
        "baselines": [],
        "sensitivity": [],
    }


def test_hardware_that_holds_nothing_has_no_figures(tmp_path: Path) -> None:
    wide = Workload("wide", (Problem("conv", (11, 11, 4, 4, 512, 512, 1), (9, 9, 1, 1)),))
    problem = small_problem("edp", Limits({}, {"pe_dim": 4}), wide)
    state = run(problem, RandomStrategy(50), tmp_path)[0]
    tiny = {"pe_dim": 2.0, "scratchpad_kb": 0.0001, "accumulator_kb": 1.0}
    assert rechosen(problem, best_of(state), tiny, Budget()) is None


def test_fixed_accelerators_have_random_designs_alone(tmp_path: Path) -> None:
    problem = small_problem("edp", Limits({}, {}), TINY, load_accelerator("eyeriss"))
    state = run(problem, RandomStrategy(2000), tmp_path)[0]
    fields = Surroundings(problem, best_of(state)).record(state)
    assert fields["sensitivity"] == []
    assert [each["name"] for each in fields["baselines"]] in (["1,000 random designs"], [])
