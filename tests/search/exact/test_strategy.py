"""The exact strategy: the contract of all, and optima enumerated for tiny networks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.search.brute_force import optimum
from tests.search.contract import StrategyContract
from tests.search.helpers import Limits, outcome, run, small_problem
from tests.search.test_optimum import WIDTH, coarse, tiny_layer
from tilegrad.errors import ConfigError
from tilegrad.search import Budget, ExactStrategy, SearchProblem, SearchState
from tilegrad.search.exact import supported
from tilegrad.search.exact.meshes import Meshes, count_tiles
from tilegrad.shape import packaged_shape
from tilegrad.shape.conv import GROUPED
from tilegrad.workload import Problem, Workload

TIGHT = ExactStrategy(gap=1e-8)


class TestExact(StrategyContract):
    strategy = ExactStrategy(gap=1e-6)
    margin = 1e-6

    def test_the_seed_decides(self, whole: SearchState, tmp_path: Path) -> None:
        """Of this strategy nothing: all seeds end alike."""
        problem = self.problem()
        for seed in (0, 4):
            state, _ = run(problem, self.strategy, tmp_path / str(seed), seed)
            assert outcome(state, problem) == outcome(whole, problem)

    def test_the_bound_is_proven_to_the_gap(self, whole: SearchState) -> None:
        assert whole.bound <= whole.value <= whole.bound * (1 + 1e-6)
        values, bounds = zip(*whole.bounds, strict=True)
        assert list(bounds) == sorted(bounds)
        assert all(bound <= whole.value for bound in bounds)
        assert list(values) == sorted(values, reverse=True)
        assert len(whole.bounds) == len(whole.history)


def prove(problem: SearchProblem, strategy: ExactStrategy = TIGHT) -> SearchState:
    """Return the end of a search."""
    state = SearchState()
    strategy.check(problem)
    for _ in strategy.advance(problem, state, Budget().begin(), 0):
        pass
    return state


@pytest.mark.parametrize(
    "seeds",
    [
        *[(1,), (10,), (1, 2)],
        *[pytest.param(more, marks=pytest.mark.slow) for more in ((2,), (9,), (3, 4), (8, 2))],
        *[
            pytest.param((seed,), marks=pytest.mark.exhaustive)
            for seed in (*range(3, 8), *range(11, 25))
        ],
        pytest.param((5, 6), marks=pytest.mark.exhaustive),
    ],
    ids=str,
)
def test_a_tiny_network_has_the_enumerated_optimum(seeds: tuple[int, ...]) -> None:
    """Of all mappings in all orders, whether they are candidates or not."""
    workload = Workload("tiny", tuple(tiny_layer(seed) for seed in seeds))
    for name, value in optimum(workload, coarse(), WIDTH).items():
        state = prove(small_problem(name, Limits({}, {"pe_dim": WIDTH}), workload, coarse()))
        assert state.value == pytest.approx(value, rel=1e-9), name
        assert state.bound == pytest.approx(value, rel=2e-8), name
        assert state.bound <= value, name


OF_OTHER_SHAPES = {
    "matmul": (
        Problem.from_fields("tall", {"P": 6, "C": 2, "K": 6}, shape=packaged_shape("matmul")),
        Problem.from_fields("prime", {"P": 5, "C": 3, "K": 4}, 3, shape=packaged_shape("matmul")),
    ),
    "batched": (
        Problem.from_fields(
            "scores", {"G": 3, "P": 4, "C": 2, "K": 4}, shape=packaged_shape("batched_matmul")
        ),
        Problem.from_fields(
            "values", {"G": 3, "P": 4, "C": 4, "K": 2}, shape=packaged_shape("batched_matmul")
        ),
    ),
}


@pytest.mark.parametrize("kind", OF_OTHER_SHAPES)
def test_a_tiny_network_of_another_shape_has_the_enumerated_optimum(kind: str) -> None:
    check_enumerated(OF_OTHER_SHAPES[kind])


def check_enumerated(layers: tuple[Problem, ...]) -> None:
    """Refuse a proof of another optimum than the enumerated one, of layers of one shape."""
    workload, machine = Workload("tiny", layers), coarse()
    for name, value in optimum(workload, machine.running(layers[0].shape), WIDTH).items():
        state = prove(small_problem(name, Limits({}, {"pe_dim": WIDTH}), workload, machine))
        assert state.value == pytest.approx(value, rel=1e-9), name
        assert value * (1 - 2e-8) <= state.bound <= value, name


def tiny_group(seed: int) -> Problem:
    """Return a random layer of groups and two more loops, with strides and dilations."""
    source = torch.Generator().manual_seed(seed)
    bounds = [*tiny_layer(seed).bounds]
    for dim in [dim for dim, bound in enumerate(bounds) if bound > 1][2:]:
        bounds[dim] = 1
    groups = int(torch.randint(2, 5, (), generator=source))
    return Problem(
        f"groups{seed}", (*bounds, groups), tiny_layer(seed).strides, 1 + seed % 2, shape=GROUPED
    )


@pytest.mark.parametrize(
    "seed",
    [1, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(2, 24))],
)
def test_a_tiny_network_of_groups_has_the_enumerated_optimum(seed: int) -> None:
    check_enumerated((tiny_group(seed), tiny_group(seed + 100)))


@pytest.mark.parametrize("name", ["edp", "latency", "area-delay"])
def test_no_random_design_is_below_the_bound(name: str) -> None:
    """Drawn within limits that bind: fixed and capped sizes, and the area."""
    from tests.search.helpers import SMALL
    from tilegrad.mapping import stack
    from tilegrad.mapping.sampling import Sampler

    limits = Limits({"scratchpad_kb": 6}, {"pe_dim": 16, "area_mm2": 0.2})
    problem = small_problem(name, limits)
    state = prove(problem, ExactStrategy(gap=1e-3))
    random = torch.Generator().manual_seed(1)
    drawn = [
        Sampler(problem.accelerator, layer, problem.meshes[0]).draw(20_000, random)
        for layer in SMALL
    ]
    _, values = problem.evaluate(stack(drawn).each(lambda tensor: tensor.movedim(0, 1)))
    assert values.isfinite().any()
    assert float(values.min()) >= state.bound


def test_what_it_cannot_prove_is_refused() -> None:
    many = Workload("many", (Problem("wide", (3, 3, 5040, 5040, 5040, 5040, 5040)),))
    with pytest.raises(ConfigError, match="legal: at most"):
        TIGHT.check(small_problem("edp", workload=many))


@pytest.mark.parametrize("name", ["edp", "area-delay"])
def test_what_is_counted_is_what_is_enumerated(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the widest mesh alone, whatever other widths the objective makes worth a try."""
    problem = small_problem(name, Limits({}, {"pe_dim": 16}))
    tables = Meshes.of(problem, {"pe_dim": (2.0, 16.0)}).tables
    rows = sum(count_tiles(table) * len(table.orders) for table in tables)
    monkeypatch.setattr(supported, "MOST_ROWS", rows)
    TIGHT.check(problem)
    monkeypatch.setattr(supported, "MOST_ROWS", rows - 1)
    with pytest.raises(ConfigError, match=f"have {rows:,} mappings"):
        TIGHT.check(problem)
