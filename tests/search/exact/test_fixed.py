"""Proven optima of networks on hardware without free sizes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.search.brute_force import every_mapping
from tests.search.helpers import run
from tests.search.test_mapper import MACHINES, WIDTH, layer, packaged, priced, tight, unpriced
from tilegrad.search import (
    Budget,
    ExactStrategy,
    GradientStrategy,
    SearchProblem,
    SearchState,
    hardware_space,
    objective,
)
from tilegrad.workload import Problem, Workload, several_networks

NAMES = ("edp", "energy", "latency")
MACHINE_NAMES = ("eyeriss", "simba", "nvdla_large")


def problem_of(name: str, seeds: tuple[int, ...], goal: str) -> SearchProblem:
    """Return tiny layers on a packaged accelerator made small."""
    machine = unpriced(tight(packaged(name), MACHINES[name]))
    layers = tuple(layer(seed, 3) for seed in seeds)
    return SearchProblem(Workload("tiny", layers), hardware_space(machine, {}, {}), objective(goal))


def optimum(problem: SearchProblem) -> float:
    """Return the least objective of two layers, of all mappings in all orders."""
    energy, cycles = [], []
    for each in problem.workload:
        nests = every_mapping(each, problem.accelerator, WIDTH)
        e, c, cost = priced(nests, each, problem.accelerator, 0.0)
        held = cost < torch.inf
        pairs = torch.stack([e.expand(len(held))[held], c.expand(len(held))[held]], -1)
        energy.append(pairs[:, 0])
        cycles.append(pairs[:, 1].ceil())
    both_e = sum_over(energy, problem)
    both_c = sum_over(cycles, problem)
    return float(problem.objective.value(both_e, both_c, torch.tensor(1.0)).min())


def sum_over(figures: list[torch.Tensor], problem: SearchProblem) -> torch.Tensor:
    """Return the sums of all combinations of the layers' figures."""
    one, other = figures
    first, second = problem.workload.counts.tolist()
    return first * one.unsqueeze(1) + second * other.unsqueeze(0)


def prove(problem: SearchProblem, gap: float = 1e-6) -> SearchState:
    """Return the end of a search."""
    state, strategy = SearchState(), ExactStrategy(gap=gap, workers=1)
    strategy.check(problem)
    for _ in strategy.advance(problem, state, Budget().begin(), 0):
        pass
    return state


@pytest.mark.parametrize(
    ("name", "goal"),
    [
        *zip(MACHINE_NAMES, NAMES, strict=True),
        *[
            pytest.param(name, goal, marks=pytest.mark.slow)
            for number, name in enumerate(MACHINE_NAMES)
            for goal in NAMES[:number] + NAMES[number + 1 :]
        ],
    ],
)
def test_two_layers_have_the_enumerated_optimum(name: str, goal: str) -> None:
    problem = problem_of(name, (1, 2), goal)
    state = prove(problem)
    least = optimum(problem)
    assert state.done
    assert state.bound <= least * (1 + 1e-9)
    assert state.value == pytest.approx(least, rel=1e-6)
    assert state.gap is not None
    assert state.gap <= 1e-3


@pytest.mark.parametrize("seeds", [(1, 2), (3, 5)])
def test_an_accelerator_without_parameters_and_with_inner_ports_is_enumerated(
    seeds: tuple[int, int],
) -> None:
    """Several dims share its meshes there, so that the widest spreads do not stand for all."""
    machine = tight(packaged("eyeriss"), MACHINES["eyeriss"])
    layers = tuple(layer(seed, 3) for seed in seeds)
    space = hardware_space(machine, {}, {})
    problem = SearchProblem(Workload("tiny", layers), space, objective("edp"))
    state = prove(problem)
    assert state.value == pytest.approx(optimum(problem), rel=1e-9)
    assert state.gap is not None
    assert state.gap <= 1e-6


def test_a_proof_that_ends_before_the_gap_asked_for_says_so() -> None:
    """Of few words the whole blocks count, which partial mappings do not tell."""
    machine = packaged("nvdla_small")
    workload = Workload("tiny", (Problem("one", (1, 1, 1, 1, 7, 5, 1), (1, 1, 1, 1)),))
    problem = SearchProblem(workload, hardware_space(machine, {}, {}), objective("edp"))
    state = prove(problem)
    assert state.gap is not None
    assert state.gap > 1e-6
    assert f"{state.gap:.3%}, above strategy.gap=1e-06" in state.warnings[0]
    assert not prove(problem_of("eyeriss", (1, 2), "edp")).warnings


def test_neither_workers_nor_a_pause_change_the_result(tmp_path: Path) -> None:
    problem = problem_of("eyeriss", (1, 2), "edp")
    whole, _ = run(problem, ExactStrategy(gap=1e-6, workers=1), tmp_path / "whole")
    half = Budget(samples=whole.samples // 2)
    several = ExactStrategy(gap=1e-6, workers=3)
    paused, status = run(problem, several, tmp_path / "paused", budget=half)
    assert status == "budget"
    assert paused.samples < whole.samples
    resumed, status = run(problem, several, tmp_path / "paused")
    assert status == "complete"
    for state in (resumed, prove(problem)):
        assert (state.value, state.bound) == (whole.value, whole.bound)


def test_a_layer_without_loops_is_proven_too() -> None:
    problem = problem_of("eyeriss", (1, 2), "edp")
    single = Problem("one", (1,) * 7, (1, 1, 1, 1))
    alone = replace(problem, workload=Workload("one", (single,)))
    state = prove(alone)
    assert state.gap is not None
    assert state.gap <= 1e-6


def test_the_gradient_search_ends_at_the_optimum_of_a_deep_hierarchy() -> None:
    """Which polishing alone misses: it follows one mapping."""
    problem = problem_of("eyeriss", (3, 5), "edp")
    state = SearchState()
    strategy = GradientStrategy(starts=2, steps=2, polish_rows=200, polish_rounds=1)
    for _ in strategy.advance(problem, state, Budget().begin(), 0):
        pass
    assert state.value <= optimum(problem) * 1.005


def test_networks_on_fixed_hardware_are_not_in_each_others_way(tmp_path: Path) -> None:
    """What is proven of two is what is proven of each, joined; also where a budget pauses it."""
    seeds = (1, 2)
    both = problem_of("eyeriss", seeds, "edp")
    networks = {f"n{seed}": Workload("one", (layer(seed, 3),)) for seed in seeds}
    shared = replace(both, workload=several_networks(networks, [2.0, 1.0], "sum"))
    each = [prove(problem_of("eyeriss", (seed,), "edp")) for seed in seeds]
    whole, status = run(shared, ExactStrategy(gap=1e-6, workers=1), tmp_path / "whole")
    assert status == "complete"
    for figure in ("value", "bound"):
        one, other = (getattr(state, figure) for state in each)
        assert getattr(whole, figure) == pytest.approx(2 * one + other, rel=1e-9)
    half = Budget(samples=whole.samples // 2)
    _, status = run(shared, ExactStrategy(gap=1e-6), tmp_path / "paused", budget=half)
    assert status == "budget"
    resumed, _ = run(shared, ExactStrategy(gap=1e-6), tmp_path / "paused")
    assert (resumed.value, resumed.bound) == (whole.value, whole.bound)
