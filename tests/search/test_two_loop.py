"""The two loops: sizes as shares, mappings on given hardware, Latin hypercubes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from tests.helpers_literal import misfits
from tests.search.contract import FIXED
from tests.search.helpers import TINY, Limits, outcome, run, small_problem
from tilegrad.accelerator import load_accelerator
from tilegrad.errors import ConfigError
from tilegrad.search import Budget, LatinStrategy
from tilegrad.search.state import SearchState, generator
from tilegrad.search.two_loop.latin import latin_hypercube
from tilegrad.search.two_loop.loop import SAMPLES_PER_UNIT, Tried, TwoLoop
from tilegrad.search.two_loop.mapper import RandomMapper, Ranking
from tilegrad.search.two_loop.sizes import Sizes


def generators(points: int) -> list[torch.Generator]:
    """Return a generator for each hardware point."""
    return [generator(3, point) for point in range(points)]


def test_shares_lead_from_the_least_to_the_most() -> None:
    sizes = Sizes.of(small_problem(workload=TINY))
    hardware = sizes.hardware(torch.tensor([[0.0] * 3, [1.0] * 3], dtype=torch.float64))
    assert {name: float(size[0]) for name, size in hardware.items()} == sizes.least
    assert {name: float(size[1]) for name, size in hardware.items()} == {
        name: round(most) for name, most in sizes.most.items()
    }
    assert sizes.most["pe_dim"] == 16


@pytest.mark.parametrize(
    ("cap", "widths"), [(16, [2, 4, 8, 16]), (14, [2, 4, 8, 14]), (2, [2]), (3, [2, 3])]
)
def test_meshes_are_powers_of_two_wide_or_as_wide_as_allowed(cap: int, widths: list[int]) -> None:
    sizes = Sizes.of(small_problem(limits=Limits({}, {"pe_dim": cap}), workload=TINY))
    points = latin_hypercube(10 * len(widths), len(sizes), generator(0))
    found = sizes.hardware(points)["pe_dim"].tolist()
    assert {width: found.count(width) for width in widths} == dict.fromkeys(widths, 10)


@pytest.mark.parametrize("template", ["gemmini", "tpu"])
def test_the_templates_own_buffers_are_within_reach_but_for_limits(template: str) -> None:
    accelerator = load_accelerator(template)
    buffers = accelerator.plan().sizes
    sizes = Sizes.of(small_problem(limits=Limits({}, {}), workload=TINY, accelerator=accelerator))
    assert all(sizes.most[name] >= accelerator.defaults[name] for name in buffers)
    limits = Limits({}, {buffers[0]: 3})
    sizes = Sizes.of(small_problem(limits=limits, workload=TINY, accelerator=accelerator))
    assert sizes.most[buffers[0]] == 3


def test_sizes_keep_to_caps_and_fixed_values() -> None:
    limits = Limits({"pe_dim": 4}, {"area_mm2": 0.06, "scratchpad_kb": 3})
    problem = small_problem(limits=limits, workload=TINY)
    sizes = Sizes.of(problem)
    asked = latin_hypercube(20, len(sizes), generator(0))
    shares = sizes.legal(asked)
    hardware = sizes.hardware(shares)
    assert bool(problem.hardware.within(hardware).all())
    roomy = replace(sizes, space=replace(problem.hardware, area_cap=None))
    within = problem.hardware.within(roomy.hardware(asked))
    assert 0 < int(within.sum()) < 20
    assert torch.equal(shares[within], asked[within])
    assert bool((shares[~within].sum(-1) < asked[~within].sum(-1)).all())
    assert set(hardware["pe_dim"].tolist()) == {4.0}


def test_a_hypercube_has_one_point_in_each_part() -> None:
    points = latin_hypercube(7, 3, generator(1))
    assert [column.sort().values.tolist() for column in (points * 7).floor().unbind(-1)] == [
        [float(part) for part in range(7)]
    ] * 3


def test_what_is_mapped_fits_its_own_hardware() -> None:
    problem = small_problem(workload=TINY)
    sizes = Sizes.of(problem)
    hardware = sizes.hardware(torch.tensor([[0.2, 0.5, 0.5], [1.0, 0.1, 0.9]]).double())
    found = RandomMapper(problem, Budget()).best(hardware, 30, *generators(2))
    assert found.mappings > 2 * len(TINY.layers)
    for point, value in enumerate(found.values.tolist()):
        given = {name: float(size[point]) for name, size in hardware.items()}
        for layer, each in enumerate(TINY.layers):
            nest = found.designs[point, layer]
            assert not misfits(nest, each.strides, problem.accelerator, given)
        exact = small_problem(limits=Limits(given, {}), workload=TINY)
        _, whole = exact.evaluate(found.designs[point].alone())
        # Whole blocks and cycles only add to what the choice goes by.
        assert value * (1 - 1e-9) <= float(whole) <= 1.5 * value


def test_what_a_ranking_chooses_is_evaluated_in_place_of_random_mappings() -> None:
    """A ranker that returns the last candidates, once for each layer on each point."""
    problem, asked = small_problem(workload=TINY), []

    def last(
        seen: torch.Tensor, values: torch.Tensor, candidates: torch.Tensor, count: int
    ) -> torch.Tensor:
        assert len(seen) == len(values)
        assert bool((values.isfinite() & (values > 0)).all())
        asked.append((len(seen), len(candidates)))
        return torch.arange(len(candidates))[-count:]

    ranking = Ranking(3, 25, lambda nests: nests.temporal.flatten(1), last)
    hardware = Sizes.of(problem).hardware(torch.tensor([[0.6, 0.5, 0.5], [1, 0.8, 0.9]]).double())
    found = RandomMapper(problem, Budget(), ranking).best(hardware, 12, *generators(2))
    # Each layer's smallest mapping, nine random ones, three of 25.
    assert asked == [(10, 25)] * (2 * len(TINY.layers))
    assert found.mappings == 13 * 2 * len(TINY.layers)


def test_more_hardware_or_mappings_than_none_are_asked_for() -> None:
    with pytest.raises(ConfigError, match=r"strategy\.mappings"):
        LatinStrategy(mappings=0)
    with pytest.raises(ConfigError, match=r"strategy\.hardware"):
        LatinStrategy(hardware=-1)


@dataclass
class Recording:
    """Proposes the largest hardware, and keeps what it learns from."""

    learned: list[torch.Tensor] = field(default_factory=list)

    def propose(self, tried: Tried, count: int, seed: int) -> torch.Tensor:  # noqa: ARG002
        self.learned.append(tried.shares)
        return torch.ones(count, tried.shares.shape[1], dtype=torch.float64)


def test_what_is_learned_from_is_the_hardware_that_was_mapped() -> None:
    problem = small_problem(limits=Limits({}, {"pe_dim": 16, "area_mm2": 0.12}), workload=TINY)
    proposer, state = Recording(), SearchState()
    for _ in TwoLoop(2, 5, 1).advance(proposer, problem, state, Budget(), 0):
        pass
    learned = Sizes.of(problem).hardware(proposer.learned[1])
    assert bool(problem.hardware.within(learned).all())
    assert bool((proposer.learned[1] < 1).all())


def test_a_unit_of_work_is_small_beside_the_search(tmp_path: Path) -> None:
    strategy = LatinStrategy(hardware=20, mappings=100)
    state, _ = run(small_problem(workload=TINY), strategy, tmp_path)
    counts = [samples for samples, _, _ in state.history]
    units = [after - before for before, after in pairwise([1, *counts])]
    # The smallest mapping is tried beside the random ones; one more makes up what rounding takes.
    assert max(units) <= SAMPLES_PER_UNIT + 102
    assert len(units) >= 4


@pytest.mark.parametrize("samples", [1, 150, 700])
def test_a_budget_of_samples_is_exceeded_by_one_point_at_most(samples: int, tmp_path: Path) -> None:
    strategy = LatinStrategy(hardware=20, mappings=100)
    problem = small_problem(workload=TINY)
    state, status = run(problem, strategy, tmp_path, budget=Budget(samples))
    assert status == "budget"
    assert samples <= state.samples <= samples + 101


@pytest.mark.parametrize("limits", [Limits(), Limits(FIXED)], ids=["free", "all fixed"])
def test_budgets_that_cut_a_search_change_nothing_of_it(limits: Limits, tmp_path: Path) -> None:
    problem, strategy = small_problem(limits=limits, workload=TINY), LatinStrategy(12, 20)
    whole, _ = run(problem, strategy, tmp_path / "whole")
    for samples in (10, 45, 170):
        run(problem, strategy, tmp_path / "cut", budget=Budget(samples))
    resumed, status = run(problem, strategy, tmp_path / "cut")
    assert status == "complete"
    assert resumed.private["values"] == whole.private["values"]
    assert torch.equal(resumed.private["shares"], whole.private["shares"])
    assert outcome(resumed, problem)[:-1] == outcome(whole, problem)[:-1]


def test_a_point_has_the_same_mappings_whatever_it_is_mapped_beside() -> None:
    """One of the points holds nothing, so that what it lacks is drawn for it in vain."""
    problem = small_problem(workload=TINY)
    hardware = Sizes.of(problem).hardware(torch.tensor([[0.2, 0.5, 0.5], [1.0, 0.1, 0.9]]).double())
    hardware = {
        name: torch.cat([size, size[:1] * (name == "pe_dim")]) for name, size in hardware.items()
    }
    together = RandomMapper(problem, Budget()).best(hardware, 30, *generators(3))
    assert together.values[2].isinf()
    for point in range(2):
        each = {name: size[point : point + 1] for name, size in hardware.items()}
        alone = RandomMapper(problem, Budget()).best(each, 30, generators(3)[point])
        assert torch.equal(alone.values, together.values[point : point + 1])
        assert torch.equal(alone.designs.temporal[0], together.designs.temporal[point])
        assert torch.equal(alone.designs.order[0], together.designs.order[point])
