"""Bayesian optimisation: its proposals, its genome, its trust region, beside the contract."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

if find_spec("botorch") is None:
    pytest.skip("needs botorch: pip install 'tilegrad[bayesian]'", allow_module_level=True)

from tests.search.contract import FIXED, LIMITS, BriefContract, StrategyContract
from tests.search.helpers import OF_ANY, TINY, Limits, run, small_problem
from tilegrad.errors import ConfigError
from tilegrad.mapping import format_shorthand
from tilegrad.mapping.sampling import Sampler
from tilegrad.search import BayesianStrategy, Budget, OneLoopBayesianStrategy, Strategy
from tilegrad.search.bayesian.genome import Genome
from tilegrad.search.bayesian.one_loop import improves
from tilegrad.search.bayesian.process import gains, most_promising
from tilegrad.search.bayesian.ranking import columns, ranked
from tilegrad.search.bayesian.region import GAIN, LENGTH, LONGEST, SUCCESSES, Region, drawn_best
from tilegrad.search.caps import Caps
from tilegrad.search.checkpoint import load_checkpoint
from tilegrad.search.state import generator, seed_of
from tilegrad.search.two_loop.loop import Tried

# GPyTorch's, where it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")

TWO_LOOPS = BayesianStrategy(hardware=8, mappings=5, initial=4, batch=2, ranked=0)


@pytest.mark.exhaustive
class TestTwoLoops(StrategyContract):
    strategy = TWO_LOOPS
    workload = TINY
    quick = ("all fixed",)
    # Random mappings that another objective would have chosen otherwise: 2.18 times the best.
    margin = 1.5


@pytest.mark.exhaustive
class TestOneLoop(StrategyContract):
    strategy = OneLoopBayesianStrategy(designs=60, initial=20, batch=20, kept=30)
    workload = TINY
    quick = ("fixed mesh and area cap",)
    margin = 0.3


@pytest.mark.slow
class TestTwoLoopsBriefly(BriefContract):
    strategy = BayesianStrategy(hardware=4, mappings=5, initial=2, batch=2, ranked=0)
    workload = TINY
    limits: Mapping[str, Limits] = {"fixed mesh and area cap": LIMITS["fixed mesh and area cap"]}


@pytest.mark.slow
class TestOneLoopBriefly(BriefContract):
    strategy = OneLoopBayesianStrategy(designs=30, initial=10, batch=10, kept=20)
    workload = TINY
    limits: Mapping[str, Limits] = {"fixed mesh and area cap": LIMITS["fixed mesh and area cap"]}


def bowl(points: torch.Tensor) -> torch.Tensor:
    """Return an objective whose least is at 0.7 in every dim."""
    return ((points - 0.7) ** 2).sum(-1).exp()


def test_ranked_are_those_that_look_like_the_best() -> None:
    """Of rows whose cost follows two of six columns, one of which is constant."""
    random = torch.Generator().manual_seed(4)
    rows = torch.rand(140, 6, generator=random, dtype=torch.float64)
    rows[:, 2] = 1.0
    costs = (3 * rows[:, 0] + ((rows[:, 1] - 0.5) * 4) ** 2).exp()
    found = ranked(rows[:40], costs[:40], rows[40:], 10)
    assert len(found.unique()) == 10
    among = costs[40:].argsort().argsort()[found]
    assert float(among.double().mean()) < 20
    assert torch.equal(found, ranked(rows[:40], costs[:40], rows[40:], 10))


def test_rows_that_are_all_alike_or_do_not_fit_are_ranked_too() -> None:
    rows = torch.ones(4, 3, dtype=torch.float64)
    values = torch.tensor([1.0, math.inf, 2.0, 2.0], dtype=torch.float64)
    assert ranked(rows, values, rows, 2).tolist() == [0, 1]


def test_columns_tell_all_mappings_apart_but_for_loops_of_one() -> None:
    problem = small_problem(workload=TINY)
    layer = TINY.layers[0]
    nests = Sampler(problem.accelerator, layer, problem.meshes[0]).draw(50, generator(2))
    distinct = {format_shorthand(nests[row], problem.accelerator) for row in range(50)}
    assert len(columns(nests).unique(dim=0)) == len(distinct)


def test_a_ranked_search_evaluates_no_more_and_repeats(tmp_path: Path) -> None:
    whole = BayesianStrategy(hardware=2, mappings=12, initial=2, batch=2, ranked=5, candidates=40)
    first, again, random = (
        run(small_problem(workload=TINY), each, tmp_path / str(number))[0]
        for number, each in enumerate((whole, whole, replace(whole, ranked=0)))
    )
    assert first.samples == random.samples
    assert first.private["values"] == again.private["values"] != random.private["values"]


@pytest.mark.parametrize("ranked_ones", [5, -1])
def test_no_more_are_ranked_than_are_tried(ranked_ones: int) -> None:
    with pytest.raises(ConfigError, match=r"strategy\.ranked"):
        replace(TWO_LOOPS, ranked=ranked_ones)


def test_proposals_find_the_least_of_a_bowl_and_repeat() -> None:
    points = torch.rand(12, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    state = torch.random.get_rng_state()
    found = most_promising(points, bowl(points), 2, seed=5)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(found, most_promising(points, bowl(points), 2, seed=5))
    assert bool(((found >= 0) & (found <= 1)).all())
    assert float(bowl(found).min()) < float(bowl(points).min())


def test_what_is_not_feasible_counts_worse_than_the_worst() -> None:
    values = torch.tensor([2.0, math.inf, 8.0, 1.0], dtype=torch.float64)
    found = gains(values).squeeze(-1)
    assert found.argsort().tolist() == [1, 2, 0, 3]
    assert bool(found.isfinite().all())
    nothing = torch.full((3,), math.inf).double()
    assert bool((gains(nothing) == 0).all())
    exceeded = torch.tensor([2.0, 0.5, 3.0], dtype=torch.float64)
    assert gains(nothing, exceeded).squeeze(-1).argsort().tolist() == [2, 0, 1]
    values = torch.tensor([2.0, math.inf, 8.0, math.inf], dtype=torch.float64)
    found = gains(values, torch.tensor([0.0, 2.0, 0.0, 1.0], dtype=torch.float64)).squeeze(-1)
    assert found.argsort().tolist() == [1, 3, 2, 0]


def test_a_batch_nearer_to_the_limits_improves_until_one_keeps_to_them() -> None:
    def batch(*pairs: tuple[float, float]) -> tuple[torch.Tensor, torch.Tensor]:
        values, excesses = torch.tensor(pairs, dtype=torch.float64).unbind(-1)
        return values, excesses

    far, near, legal = (math.inf, 2.0), (math.inf, 1.0), (5.0, 0.0)
    assert improves(batch(far, near), batch(far))
    assert not improves(batch(far), batch(near))
    assert improves(batch(near, legal), batch(near))
    assert not improves(batch(near), batch(legal, far))
    assert not improves(batch((5.0 * (1 - GAIN / 2), 0.0)), batch(legal))
    assert improves(batch((5.0 * (1 - GAIN * 2), 0.0)), batch(legal))


def test_a_cap_that_no_first_design_keeps_to_is_searched_for(tmp_path: Path) -> None:
    """The latency of most designs is far above what proposals reach without a cap."""
    strategy = OneLoopBayesianStrategy(designs=120, initial=20, batch=20, kept=40)
    free = small_problem("latency", workload=TINY)
    first, _ = run(free, replace(strategy, designs=20), tmp_path / "first")
    caps = Caps(cycles=first.value * 0.6)
    capped = replace(small_problem("energy", workload=TINY), caps=caps)
    found, status = run(capped, strategy, tmp_path / "capped")
    assert status == "complete"
    assert found.best is not None
    assert float(capped.evaluate(found.best.alone())[0].cycles) <= caps.cycles


def test_the_first_points_are_a_latin_hypercube() -> None:
    tried = Tried(torch.empty(0, 3, dtype=torch.float64), torch.empty(0, dtype=torch.float64))
    shares = []
    for _ in range(2):
        shares.append(TWO_LOOPS.propose(tried, 2, seed=1))
        joined = torch.cat(shares)
        tried = Tried(joined, torch.ones(len(joined)).double())
    cells = (torch.cat(shares) * 4).long()
    assert all(sorted(column.tolist()) == [0, 1, 2, 3] for column in cells.T)


def test_a_budget_that_cuts_a_batch_changes_nothing_of_the_search(tmp_path: Path) -> None:
    problem, strategy = small_problem(workload=TINY), replace(TWO_LOOPS, batch=4, hardware=8)
    whole, _ = run(problem, strategy, tmp_path / "whole")
    run(problem, strategy, tmp_path / "cut", budget=Budget(30))
    cut = load_checkpoint(tmp_path / "cut", OF_ANY.digest)
    assert cut is not None
    assert 4 < len(cut.private["values"]) < 8
    resumed, _ = run(problem, strategy, tmp_path / "cut")
    assert torch.equal(resumed.private["shares"], whole.private["shares"])
    assert resumed.private["values"] == whole.private["values"]


@pytest.mark.parametrize("seed", [10**14, 2**63 - 1])
@pytest.mark.parametrize(
    "strategy",
    [
        replace(TWO_LOOPS, hardware=5),
        OneLoopBayesianStrategy(designs=30, initial=10, batch=10, kept=30),
    ],
    ids=["two loops", "one loop"],
)
def test_any_legal_seed_is_searched_with(strategy: Strategy, seed: int, tmp_path: Path) -> None:
    _, status = run(small_problem(workload=TINY), strategy, tmp_path, seed)
    assert status == "complete"


def test_parts_of_small_seeds_have_seeds_of_their_own() -> None:
    parts = {seed_of(seed, part) for seed in range(20) for part in range(200)}
    assert len(parts) == 20 * 200
    assert seed_of(3, 20) == 3_000_029
    assert 0 <= seed_of(2**63 - 1, 10_000) < 2**63


@pytest.mark.parametrize(
    ("hardware", "samples", "told"), [(4, None, True), (8, 12, True), (6, None, False)]
)
def test_a_search_that_proposes_no_hardware_says_so(
    hardware: int, samples: int | None, told: bool, tmp_path: Path
) -> None:
    strategy = replace(TWO_LOOPS, hardware=hardware)
    state, _ = run(small_problem(workload=TINY), strategy, tmp_path, budget=Budget(samples))
    assert [f"hardware={hardware}" in warning for warning in state.warnings] == [True] * told


def test_where_no_hardware_is_to_be_chosen_none_is_missed(tmp_path: Path) -> None:
    problem = small_problem(limits=Limits(FIXED), workload=TINY)
    assert not run(problem, replace(TWO_LOOPS, hardware=2), tmp_path)[0].warnings


def test_a_genome_reaches_every_choice_and_begins_with_the_smallest() -> None:
    problem = small_problem(workload=TINY)
    genome = Genome(problem.tables)
    smallest = genome.designs(torch.zeros(1, len(genome), dtype=torch.float64))
    expected = problem.smallest()
    assert torch.equal(smallest.temporal, expected.temporal)
    assert torch.equal(smallest.spatial, expected.spatial)
    for number, gene in enumerate(genome.genes):
        table = problem.tables[gene.layer]
        every = table.orders if gene.dim is None else table.choices[gene.dim]
        points = torch.zeros(len(every), len(genome), dtype=torch.float64)
        points[:, number] = (torch.arange(len(every)) + 0.5) / len(every)
        nests = genome.designs(points).each(lambda tensor, at=gene.layer: tensor[:, at])
        if gene.dim is None:
            found = nests.order
        else:
            found = torch.stack([table.factors(nests[i]) for i in range(len(every))])
        assert len(found.unique(dim=0)) == len(every)


def test_a_region_grows_by_successes_and_ends_after_failures() -> None:
    region = Region()
    for _ in range(SUCCESSES):
        region = region.after(True, patience=2)
    assert region.length == min(2 * LENGTH, LONGEST)
    halved = region.after(False, 2).after(True, 2).after(False, 2)
    assert halved.length == region.length
    while not region.over:
        region = region.after(False, 1)
    assert region.length < 2 * 0.5**7


def test_draws_lie_in_the_region_and_repeat() -> None:
    points = torch.rand(15, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    narrow = Region(length=1e-3)
    had = gains(bowl(points))
    found = drawn_best(narrow, points, had, 4, seed=1)
    assert torch.equal(found, drawn_best(narrow, points, had, 4, seed=1))
    best = points[int(bowl(points).argmin())]
    assert float((found - best).abs().max()) < 0.1
    assert bool((found != best).any(-1).all())


def test_without_botorch_the_command_that_installs_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "botorch", None)
    for strategy in (BayesianStrategy(), OneLoopBayesianStrategy()):
        with pytest.raises(ConfigError, match=r"pip install 'tilegrad\[bayesian\]'"):
            strategy.check(small_problem(workload=TINY))
