"""The bound beside other strategies' results: valid, the design untouched, or why there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.search.exact.test_fixed import problem_of
from tests.search.helpers import OF_ANY, SHORT_RANDOM, Limits, outcome, small_problem
from tilegrad.search import (
    Budget,
    ExactStrategy,
    RandomStrategy,
    Runner,
    SearchProblem,
    SearchState,
)
from tilegrad.search.caps import Caps
from tilegrad.search.exact import effort, held, strategy, supported
from tilegrad.search.exact.held import HeldRows
from tilegrad.search.exact.mapper.kept import BY_LAYER, is_compiled
from tilegrad.search.exact.meshes import Meshes, layer_rows
from tilegrad.search.exact.rows import Rows
from tilegrad.search.exact.strategy import ExactRun
from tilegrad.workload import Problem, Workload

TINY = Workload("tiny", (Problem("linear", (1, 1, 1, 6, 8, 4, 1), (1, 1, 1, 1)),))


def searched(
    problem: SearchProblem, directory: Path, bound: str, budget: Budget | None = None
) -> SearchState:
    """Return what a short random search ends with."""
    directory.mkdir(exist_ok=True)
    runner = Runner(problem, SHORT_RANDOM, budget or Budget(), 0, directory, OF_ANY, bound=bound)
    return runner.run()[0]


def optimum(problem: SearchProblem) -> float:
    """Return the least objective, as the exact strategy proves it."""
    state = SearchState()
    for _ in ExactStrategy(1e-6, workers=1).advance(problem, state, Budget().begin(), 0):
        pass
    return state.value


@pytest.mark.parametrize("objective", ["edp", "energy", "latency", "area-delay"])
@pytest.mark.parametrize("kind", ["auto", "full"])
def test_bounds_hold_and_leave_the_design_alone(kind: str, objective: str, tmp_path: Path) -> None:
    problem = small_problem(objective, Limits(caps={"pe_dim": 4}), TINY)
    plain = searched(problem, tmp_path / "none", "none")
    # Compiles what proves, before which auto proves nothing.
    least = optimum(problem)
    state = searched(problem, tmp_path / kind, kind)
    assert outcome(state, problem) == outcome(plain, problem)
    assert (plain.bound, plain.gap, plain.unproven) == (0, None, "")
    assert 0 < state.bound <= least * (1 + 1e-9)
    assert state.gap is not None
    assert state.gap >= state.value / least - 1 - 1e-9
    if kind == "full":
        assert state.bound >= min(least, state.value) / 1.001


def test_best_takes_what_the_proof_finds(tmp_path: Path) -> None:
    problem = small_problem("edp", Limits(caps={"pe_dim": 4}), TINY)
    few = Runner(problem, RandomStrategy(designs=2), Budget(), 0, tmp_path, OF_ANY)
    plain, _ = few.run()
    least = optimum(problem)
    assert plain.value > least * 1.01
    # A finished run takes it too.
    best, status = replace(few, bound="best").run()
    assert status == "complete"
    assert least <= best.value <= least * 1.001
    assert best.value / 1.001 <= best.bound <= least * (1 + 1e-9)
    assert best.samples > plain.samples
    assert best.best is not None
    assert problem.evaluate(best.best.alone())[1].item() == best.value


def test_beside_known_designs_a_proof_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = small_problem("edp", Limits(caps={"pe_dim": 4}), TINY)
    beside = replace(problem, known=problem.smallest(), near=True)
    least = optimum(problem)
    with monkeypatch.context() as without:
        without.delattr(RandomStrategy, "advance")
        state = searched(beside, tmp_path / "proven", "best")
    assert state.done
    assert state.value <= least * 1.001
    # Where nothing can be proven the strategy searches.
    padded = searched(replace(beside, padded=True), tmp_path / "padded", "best")
    assert padded.samples == SHORT_RANDOM.designs
    assert padded.gap is None


def test_a_proof_that_comes_first_leaves_time_to_the_strategy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = small_problem("edp", Limits(caps={"pe_dim": 4}), TINY)
    times, begun, advance = iter(range(100_000)), [], RandomStrategy.advance

    def noted(*given: Any) -> Any:
        begun.append(given)
        return advance(*given)

    monkeypatch.setattr(RandomStrategy, "advance", noted)
    monkeypatch.setattr(ExactRun, "step", lambda run: [run.budget.check() for _ in range(100)])
    budget = Budget(seconds=40, clock=lambda: float(next(times)))
    beside = replace(problem, known=problem.smallest())
    state = searched(beside, tmp_path / "cut", "best", budget)
    assert begun
    assert state.best is not None


def test_which_proofs_take_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = small_problem("edp", Limits(caps={"pe_dim": 4}), TINY)
    assert effort.takes_seconds(problem)
    assert not effort.takes_seconds(replace(problem, padded=True))
    assert effort.takes_seconds(replace(problem, caps=Caps(cycles=1e6)))
    assert not effort.takes_seconds(replace(problem, caps=Caps(pj_per_cycle=1e6)))
    assert not effort.takes_seconds(problem_of("eyeriss", (1, 2), "edp"))
    monkeypatch.setattr(effort, "MOST_ROWS", 3)
    assert not effort.takes_seconds(problem)


def test_searches_of_one_process_enumerate_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tight, loose = (Limits(caps={"pe_dim": 4, "area_mm2": area}) for area in (0.03, 0.06))
    alone = optimum(small_problem("edp", tight, TINY))
    rows = HeldRows(10_000)
    monkeypatch.setattr(held, "HELD", rows)
    best = optimum(small_problem("edp", loose, TINY))
    with monkeypatch.context() as again:
        again.delattr(strategy, "layer_rows")
        assert optimum(small_problem("edp", loose, TINY)) == best
    # What others hold changes no result, and other layers are other rows.
    assert optimum(small_problem("edp", tight, TINY)) == alone > best
    twice = Workload("twice", (*TINY.layers, *TINY.layers))
    assert optimum(small_problem("edp", loose, twice)) > best


def test_the_oldest_rows_are_dropped() -> None:
    problem = small_problem("edp", Limits(caps={"pe_dim": 4}), TINY)
    ends = {"pe_dim": (1.0, 4.0)}
    rows = Rows.join(layer_rows([Meshes.of(problem, ends)], 0))
    kept = HeldRows(2 * len(rows))
    for key in (("a",), ("b",), ("c",)):
        kept.put(key, rows)
    assert kept.get(("a",)) is None
    assert kept.get(("b",)) is kept.get(("c",)) is rows


def test_on_hardware_without_free_sizes(tmp_path: Path) -> None:
    problem = problem_of("eyeriss", (1, 2), "edp")
    assert supported.by_layer(problem)
    state, least = searched(problem, tmp_path / "run", "full"), optimum(problem)
    assert least / 1.001 <= state.bound <= least * (1 + 1e-9)
    assert is_compiled(BY_LAYER)
    assert searched(problem, tmp_path / "auto", "auto").bound > 0


def test_a_finished_run_is_proven_later(tmp_path: Path) -> None:
    problem = small_problem("edp", Limits(caps={"pe_dim": 4}), TINY)
    before = searched(problem, tmp_path / "run", "none")
    after = searched(problem, tmp_path / "run", "full")
    assert before.gap is None
    assert after.gap is not None
    assert outcome(after, problem) == outcome(before, problem)
    assert searched(problem, tmp_path / "run", "none").bound == after.bound


def test_a_search_that_goes_on_ends_with_the_bound_of_a_whole_one(tmp_path: Path) -> None:
    problem = small_problem("edp", Limits(caps={"pe_dim": 4}), TINY)
    assert optimum(problem) > 0
    searched(problem, tmp_path / "part", "auto", Budget(samples=20))
    part = searched(problem, tmp_path / "part", "auto")
    whole = searched(problem, tmp_path / "whole", "auto")
    assert (part.value, part.bound) == (whole.value, whole.bound)
    assert part.bound > 0


def test_reasons_for_no_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = small_problem("edp", Limits(caps={"pe_dim": 4}), TINY)
    padded = searched(replace(problem, padded=True), tmp_path / "padded", "auto")
    assert padded.gap is None
    assert "padding=none" in padded.unproven
    monkeypatch.setattr(effort, "MOST_ROWS", 3)
    large = searched(problem, tmp_path / "large", "auto")
    assert large.gap is None
    assert "bound=full" in large.unproven
    monkeypatch.setattr(supported, "MOST_ROWS", 3)
    huge = searched(problem, tmp_path / "huge", "full")
    assert huge.gap is None
    assert "legal" in huge.unproven


def test_interrupted_proof_keeps_what_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = small_problem("edp", Limits(caps={"pe_dim": 4}), TINY)
    units, step = [0], ExactRun.step

    def stop(run: ExactRun) -> None:
        units[0] += 1
        if units[0] == 3:
            raise KeyboardInterrupt
        step(run)

    monkeypatch.setattr(ExactRun, "step", stop)
    runner = Runner(problem, SHORT_RANDOM, Budget(), 0, tmp_path, OF_ANY, bound="full")
    state, status = runner.run()
    assert status == "interrupted"
    assert state.best is not None
    assert state.bound > 0
    again, status = runner.run()
    assert status == "complete"
    assert again.value == state.value
    assert again.bound >= state.bound


def test_what_is_not_compiled_is_not_compiled_by_auto(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effort, "is_compiled", lambda _: False)
    problem = small_problem("edp", Limits(caps={"pe_dim": 4}), TINY)
    for name, each in (("free", problem), ("fixed", problem_of("eyeriss", (1, 2), "edp"))):
        state = searched(each, tmp_path / name, "auto")
        assert state.gap is None
        assert "half a minute once" in state.unproven


def test_no_time_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Rows of other tests' searches would be a proof in no time.
    monkeypatch.setattr(held, "HELD", HeldRows(0))
    times = iter(range(10_000))
    budget = Budget(seconds=1, clock=lambda: float(next(times)))
    state = searched(small_problem("edp"), tmp_path / "run", "full", budget)
    assert state.best is not None
    assert state.unproven == "budget.seconds left no time for it"
