"""A budget of seconds ends a search inside of a unit of work, on a clock that the tests turn."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.search.helpers import SHORT_RANDOM, SMALL, TINY, record, run, small_problem
from tilegrad.mapping.sampling import Sampler
from tilegrad.search import Budget, GradientStrategy, SearchState, Strategy, Surroundings
from tilegrad.search.budget import MOST_RESERVED, OutOfTimeError
from tilegrad.workload import Workload

pytestmark = pytest.mark.usefixtures("unchecked")

SECONDS = 10.0
LAYERS = Workload("three", (*TINY.layers, SMALL.layers[1]))
GRADIENT = GradientStrategy(starts=4, steps=4, polish_rows=2000, polish_rounds=2, workers=1)

PIECES = {
    # The leaders among the starts are looked up even then: they are rounded for the record.
    "a group of starts": ("gradient.descent:RelaxedProblem.loss", 2),
    "a layer's neighbours": ("gradient.run:candidates", 1),
    "a layer's prices": ("gradient.select:prices", 1),
    "a chunk of a layer's blocks": ("gradient.polish:candidates", 1),
    "a layer's orders": ("gradient.reorder:model_footprint", 1),
}
"""What a search by gradient is made of, and how many are done where the first takes all time."""


class Clock:
    """Stands still until it jumps past every budget of ``SECONDS``."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def jump(self) -> None:
        self.now += 2 * SECONDS

    @property
    def budget(self) -> Budget:
        return Budget(seconds=SECONDS, clock=self)


def jumping(
    patch: pytest.MonkeyPatch, place: str, clock: Clock, when: int = 1
) -> Callable[[], int]:
    """Let the clock jump in the ``when``-th call of ``place``; return how to count the calls."""
    module, _, path = place.partition(":")
    names = path.split(".")
    holder: Any = importlib.import_module(f"tilegrad.search.{module}")
    for name in names[:-1]:
        holder = getattr(holder, name)
    original, calls = getattr(holder, names[-1]), 0

    def counted(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == when:
            clock.jump()
        return original(*arguments)

    patch.setattr(holder, names[-1], counted)
    return lambda: calls


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SearchState:
    return run(small_problem(workload=LAYERS), GRADIENT, tmp_path_factory.mktemp("whole"))[0]


@pytest.mark.parametrize("piece", PIECES)
def test_the_piece_at_work_is_the_last(
    piece: str, whole: SearchState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, clock = small_problem(workload=LAYERS), Clock()
    place, most = PIECES[piece]
    with monkeypatch.context() as patch:
        patch.setattr("tilegrad.search.gradient.descent.GROUP_ROWS", 1)
        calls = jumping(patch, place, clock)
        cut, status = run(problem, GRADIENT, tmp_path, budget=clock.budget)
    assert calls() == most
    assert status == "budget"
    assert cut.history[-1][1] == 2 * SECONDS
    assert record(cut, problem)["edp"] == cut.edp == cut.history[-1][2]
    assert whole.value <= cut.value

    # As much is left for it as before: nothing.
    again, status = run(problem, GRADIENT, tmp_path, budget=clock.budget)
    assert (again.value, again.history, status) == (cut.value, cut.history, "budget")


@pytest.mark.parametrize("piece", list(PIECES)[1:])
def test_a_search_cut_short_goes_on_to_the_same_end(
    piece: str, whole: SearchState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, clock = small_problem(workload=LAYERS), Clock()
    with monkeypatch.context() as patch:
        jumping(patch, PIECES[piece][0], clock, when=2)
        assert run(problem, GRADIENT, tmp_path, budget=clock.budget)[1] == "budget"
    resumed, status = run(problem, GRADIENT, tmp_path)
    assert status == "complete"
    assert record(resumed, problem) == record(whole, problem)
    assert resumed.value == whole.value


@pytest.mark.slow
def test_a_round_whose_end_was_cut_short_counts_what_it_gained(
    whole: SearchState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = small_problem(workload=LAYERS)
    ends = 0
    for when in range(2, 5):
        clock = Clock()
        with monkeypatch.context() as patch:
            jumping(patch, "gradient.run:Chooser.focus", clock, when)
            cut, status = run(problem, GRADIENT, tmp_path / str(when), budget=clock.budget)
        ends += status == "budget"
        resumed, _ = run(problem, GRADIENT, tmp_path / str(when))
        assert record(resumed, problem) == record(whole, problem)
        assert resumed.value <= cut.value
    assert ends


def test_random_designs_are_drawn_once_at_least(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strategies: list[tuple[Strategy, int, int]] = [(SHORT_RANDOM, 1, 3), (SHORT_RANDOM, 5, 5)]
    monkeypatch.setattr("tilegrad.search.random.MAPPINGS_PER_UNIT", 150)
    problem = small_problem()
    for number, (strategy, when, most) in enumerate(strategies):
        clock, calls = Clock(), 0
        draw = Sampler.draw

        def counted(
            *arguments: Any, clock: Clock = clock, when: int = when, draw: Any = draw
        ) -> Any:
            nonlocal calls
            calls += 1
            if calls == when:
                clock.jump()
            return draw(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(Sampler, "draw", counted)
            state, status = run(problem, strategy, tmp_path / str(number), budget=clock.budget)
        assert (calls, status, state.samples) == (most, "budget", 50)
        assert record(state, problem)["edp"] > 0


def test_what_lies_around_is_whole_or_absent(
    whole: SearchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, clock = small_problem(workload=LAYERS), Clock()
    assert whole.best is not None
    everything = Surroundings(problem, whole.best).record(whole)
    calls = jumping(monkeypatch, "surroundings:refine", clock, when=2 * len(LAYERS) + 1)
    found = Surroundings(problem, whole.best, clock.budget.begin()).record(whole)
    assert found["baselines"] == everything["baselines"][: len(found["baselines"])]
    assert found["sensitivity"] == everything["sensitivity"][: len(found["sensitivity"])]
    assert 1 <= len(found["baselines"] + found["sensitivity"]) < 4
    # One layer on each thread at most.
    assert calls() < 4 * len(LAYERS)


def test_a_reserve_is_left_of_the_seconds() -> None:
    clock = Clock()
    budget = Budget(seconds=10.0, reserve=4.0, clock=clock).begin(spent=1.0)
    assert (budget.elapsed, budget.spent(SearchState())) == (1.0, 1 / 6)
    clock.now = 4.9
    budget.check()
    assert not budget.over
    assert budget.part(0.9).over
    clock.now = 5.0
    assert budget.over
    assert budget.spent(SearchState()) == 1
    with pytest.raises(OutOfTimeError):
        budget.check()


def test_a_reserve_takes_no_more_than_its_share() -> None:
    budget = Budget(seconds=10.0, reserve=1e9)
    assert budget.spent(SearchState(seconds=10 * (1 - MOST_RESERVED))) == 1


def test_without_seconds_time_does_not_matter() -> None:
    clock = Clock()
    budget = Budget(samples=10, reserve=5.0, clock=clock).begin()
    clock.jump()
    budget.check()
    assert budget.part(0.1).spent(SearchState(samples=5)) == 0.5
