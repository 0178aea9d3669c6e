"""The contract of every search strategy: inherit, and name a short one.

``class TestMine(StrategyContract): strategy = MyStrategy(...)``
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType

import pytest

from tests.helpers_literal import misfits, not_proposed
from tests.search.helpers import OF_ANY, SMALL, Limits, outcome, record, run, small_problem
from tilegrad.accelerator import load_accelerator
from tilegrad.cost import area_mm2, infer_hardware, layer_cost
from tilegrad.cost.capacity import find_overflows
from tilegrad.cost.latency import NEST_LATENCY, LatencyModel
from tilegrad.mapping import parse_shorthand, stack
from tilegrad.mapping.validity import find_violations
from tilegrad.nest import analyse
from tilegrad.search import Budget, SearchProblem, SearchState, Strategy, runner
from tilegrad.workload import Problem, Workload

FIXED = {"pe_dim": 8, "scratchpad_kb": 6, "accumulator_kb": 4}

LIMITS = {
    "fixed mesh": Limits({"pe_dim": 8}),
    "fixed scratchpad": Limits({"scratchpad_kb": 6}),
    "fixed accumulator": Limits({"accumulator_kb": 4}),
    "all fixed": Limits(FIXED),
    "wide mesh, little in each column": Limits({"pe_dim": 16, "accumulator_kb": 1}),
    "caps": Limits({}, FIXED),
    "area cap": Limits({}, {"pe_dim": 16, "area_mm2": 0.12}),
    "fixed mesh and area cap": Limits({"pe_dim": 4}, {"area_mm2": 0.06}),
}


@pytest.mark.usefixtures("unchecked")
class BriefContract:
    """What a strategy that takes long promises at the least: the seed decides, limits hold, and a
    search that was stopped goes on to the same end."""

    strategy: Strategy
    template: str = "gemmini"
    workload: Workload = SMALL
    unlimited: Limits = Limits()
    limits: Mapping[str, Limits] = LIMITS
    quick: tuple[str, ...] = ()
    """Limits that are tried with the other tests, where a search takes long; none: all of them."""
    unit: tuple[ModuleType, str, int] | None = None
    """A constant that makes units of work small, so that even a small search has many."""
    model: LatencyModel = NEST_LATENCY
    margin: float = 1e-9
    """How much better the design of another objective may be. The mapspace leaves out mappings that
    the nest knows to be no better (idle instances), which a predictor may prefer all the same."""

    @classmethod
    def problem(
        cls, name: str = "edp", limits: Limits | None = None, workload: Workload | None = None
    ) -> SearchProblem:
        """Return a small problem whose latency is the model's."""
        limits, workload = limits or cls.unlimited, workload or cls.workload
        return small_problem(name, limits, workload, load_accelerator(cls.template), cls.model)

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _many_units(cls) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            if cls.unit is not None:
                patch.setattr(*cls.unit)
            yield

    @pytest.fixture(scope="class")
    @classmethod
    def whole(cls, tmp_path_factory: pytest.TempPathFactory) -> SearchState:
        """Return the state at the end of a search of the small problem, for tests that read it.

        By one thread, and with signatures checked.
        """
        strategy = replace(cls.strategy, workers=1) if cls.threaded() else cls.strategy  # type: ignore[type-var]
        return run(cls.problem(), strategy, tmp_path_factory.mktemp("whole"))[0]

    @classmethod
    def threaded(cls) -> bool:
        """Tell whether the strategy shares its work among threads."""
        return "workers" in {field.name for field in fields(cls.strategy)}  # type: ignore[arg-type]

    def test_the_seed_decides(self, whole: SearchState, tmp_path: Path) -> None:
        problem = self.problem()
        again, other = (
            outcome(run(problem, self.strategy, tmp_path / str(seed), seed)[0], problem)
            for seed in (0, 4)
        )
        assert outcome(whole, problem) == again
        assert again[-1] != other[-1]

    def test_limits_are_respected(self, limit: str, tmp_path: Path) -> None:
        limits = self.limits[limit]
        problem = self.problem("latency", limits)
        state, status = run(problem, self.strategy, tmp_path)
        found = record(state, problem)
        assert status == "complete"
        for parameter, size in limits.hardware.items():
            assert found["hardware"][parameter] == size
        for parameter, cap in {**limits.caps, "area_mm2": limits.caps.get("area_mm2")}.items():
            used = found["area_mm2"] if parameter == "area_mm2" else found["hardware"][parameter]
            assert cap is None or used <= cap
        assert state.best is not None
        nest = analyse(state.best, self.workload.strides, problem.accelerator)
        sizes = {parameter: float(size) for parameter, size in found["hardware"].items()}
        assert not find_overflows(nest, problem.accelerator, sizes)

    def test_a_budget_of_samples_ends_the_search(self, whole: SearchState, tmp_path: Path) -> None:
        most = whole.samples // 2
        state, status = run(self.problem(), self.strategy, tmp_path, budget=Budget(most))
        assert status == "budget"
        assert state.history[-1][0] == state.samples
        # One unit of work beyond the budget at most.
        assert all(samples < most for samples, _, _ in state.history[:-1])

    def test_a_search_stopped_after_any_unit_goes_on_to_the_same_end(
        self, whole: SearchState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(runner, "CHECKPOINT_SECONDS", 0)
        problem = self.problem()
        for stop in range(2, len(whole.history) + 1, 3):
            units = 0

            def observe(_: SearchState, stop: int = stop) -> None:
                nonlocal units
                units += 1
                if units == stop:
                    raise KeyboardInterrupt

            directory = tmp_path / str(stop)
            directory.mkdir()
            search = runner.Runner(problem, self.strategy, Budget(), 0, directory, OF_ANY)
            assert search.run(observe)[1] == "interrupted"
            resumed, status = search.run()
            assert status == "complete"
            assert outcome(resumed, problem) == outcome(whole, problem)


class StrategyContract(BriefContract):
    """What a strategy promises, whatever it proposes."""

    def test_workers_do_not_change_the_result(self, whole: SearchState, tmp_path: Path) -> None:
        if not self.threaded():
            pytest.skip("a strategy of one thread")
        problem = self.problem()
        state, _ = run(problem, replace(self.strategy, workers=3), tmp_path)  # type: ignore[type-var]
        assert outcome(state, problem) == outcome(whole, problem)

    def test_the_record_follows_from_its_shorthands(self, whole: SearchState) -> None:
        found = record(whole, self.problem())
        accelerator, counts = load_accelerator(self.template), self.workload.counts
        shorthands = [layer["mapping"] for layer in found["layers"]]
        nests = stack([parse_shorthand(text, accelerator) for text in shorthands])
        assert not find_violations(nests, self.workload.bounds, accelerator)
        nest = analyse(nests, self.workload.strides, accelerator)
        hardware = infer_hardware(accelerator, nest, {})
        cost = layer_cost(nest, accelerator, hardware)
        for number, problem in enumerate(self.workload):
            assert not misfits(nests[number], problem.strides, accelerator, found["hardware"])
            assert not not_proposed(nests[number], accelerator)
        assert found["hardware"] == {name: float(value) for name, value in hardware.items()}
        assert found["area_mm2"] == pytest.approx(float(area_mm2(accelerator, hardware)))
        assert found["cycles"] == float((cost.cycles * counts).sum())
        energy = float((cost.energy_pj * counts).sum()) * 1e-6
        assert found["energy_uj"] == pytest.approx(energy, rel=1e-12)
        assert found["edp"] == found["energy_uj"] * found["cycles"]
        assert [layer["cycles"] for layer in found["layers"]] == cost.cycles.tolist()

    def test_each_objective_is_best_at_its_own_figure(
        self, whole: SearchState, tmp_path: Path
    ) -> None:
        names = ("edp", "energy", "latency", "area-delay")
        problems = {name: self.problem(name) for name in names}
        found = {"edp": whole}
        for name in names[1:]:
            found[name], _ = run(problems[name], self.strategy, tmp_path / name)
        for name, problem in problems.items():
            for other in names:
                best = found[other].best
                assert best is not None
                _, value = problem.evaluate(best.alone())
                assert found[name].value <= float(value) * (1 + self.margin), (name, other)

    def test_a_budget_of_seconds_ends_the_search(self, tmp_path: Path) -> None:
        problem = self.problem()
        state, status = run(problem, self.strategy, tmp_path, budget=Budget(seconds=1e-6))
        assert status == "budget"
        assert len(state.history) == 1
        assert record(state, problem)["edp"] > 0

    def test_the_history_never_worsens(self, whole: SearchState) -> None:
        samples, seconds, edps = zip(*whole.history, strict=True)
        assert list(samples) == sorted(samples)
        assert list(seconds) == sorted(seconds)
        if self.model is NEST_LATENCY:
            assert list(edps) == sorted(edps, reverse=True)
        assert edps[-1] == record(whole, self.problem())["edp"] == whole.edp
        assert whole.fraction <= 1

    def test_layers_without_loops_are_searched_too(self, tmp_path: Path) -> None:
        one = Problem("one", (1,) * 7)
        for layers in ((one,), (one, Problem("few", (1, 1, 1, 1, 1, 4, 1)))):
            problem = self.problem(workload=Workload("tiny", layers))
            state, status = run(problem, self.strategy, tmp_path / str(len(layers)))
            assert status == "complete"
            assert len(record(state, problem)["layers"]) == len(layers)
