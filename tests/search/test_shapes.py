"""Layers of several shapes in one search: one objective, costs as of each layer alone."""

from __future__ import annotations

import pytest
import torch

from tests.search.helpers import BRIEF_GRADIENT
from tilegrad.accelerator import load_accelerator
from tilegrad.cost import layer_cost
from tilegrad.errors import WorkloadError
from tilegrad.mapping import parse_shorthand
from tilegrad.nest import analyse
from tilegrad.search import (
    Budget,
    RandomStrategy,
    SearchProblem,
    SearchState,
    Strategy,
    design_record,
    hardware_space,
    objective,
)
from tilegrad.shape import packaged_shape
from tilegrad.workload import Problem, Workload

LAYERS = (
    Problem.from_fields("depthwise", {"R": 3, "S": 3, "P": 8, "Q": 8, "C": 1, "K": 1, "G": 12}),
    Problem.from_fields("pointwise", {"R": 1, "S": 1, "P": 8, "Q": 8, "C": 12, "K": 16}),
    Problem.from_fields(
        "scores", {"G": 4, "P": 16, "C": 8, "K": 16}, 2, shape=packaged_shape("batched_matmul")
    ),
    Problem.from_fields(
        "contraction",
        {"a": 2, "b": 3, "c": 4, "d": 2, "e": 3, "f": 2},
        shape=packaged_shape("contraction"),
    ),
    Problem.from_fields("second pointwise", {"R": 1, "S": 1, "P": 4, "Q": 4, "C": 16, "K": 16}),
)


def searched(layers: tuple[Problem, ...], strategy: Strategy) -> tuple[SearchProblem, SearchState]:
    space = hardware_space(load_accelerator("gemmini"), {}, {"pe_dim": 16})
    problem = SearchProblem(Workload("mixed", layers), space, objective("edp"))
    problem.check_size()
    problem.check_feasible()
    state = SearchState()
    for _ in strategy.advance(problem, state, Budget(), 0):
        pass
    return problem, state


@pytest.mark.parametrize(
    "strategy", [pytest.param(BRIEF_GRADIENT, marks=pytest.mark.slow), RandomStrategy(200)]
)
def test_a_mixed_design_costs_what_its_layers_cost_one_by_one(strategy: Strategy) -> None:
    problem, state = searched(LAYERS, strategy)
    assert state.best is not None
    record = design_record(state.best, problem)
    hardware = {name: float(value) for name, value in record["hardware"].items()}
    energy = cycles = 0.0
    for layer, found in zip(LAYERS, record["layers"], strict=True):
        accelerator = load_accelerator("gemmini").running(layer.shape)
        mapping = parse_shorthand(found["mapping"], accelerator)
        assert mapping.bounds().tolist() == list(layer.bounds)
        nest = analyse(mapping, torch.tensor(layer.strides, dtype=torch.float64), accelerator)
        cost = layer_cost(nest, accelerator, hardware)
        assert float(cost.cycles) == found["cycles"]
        energy += layer.count * float(cost.energy_pj) * 1e-6
        cycles += layer.count * float(cost.cycles)
    assert record["edp"] == pytest.approx(energy * cycles, rel=1e-12)


@pytest.mark.slow
def test_a_matmul_and_the_convolution_of_ones_end_alike() -> None:
    sizes = {"P": 24, "C": 16, "K": 20}
    ones = {"R": 1, "S": 1, "Q": 1}
    strategy = BRIEF_GRADIENT
    product = Problem.from_fields("product", sizes, shape=packaged_shape("matmul"))
    _, of_shape = searched((product,), strategy)
    _, of_ones = searched((Problem.from_fields("product", {**sizes, **ones}),), strategy)
    assert of_shape.value == of_ones.value


def test_what_takes_one_shape_names_two_layers_that_differ() -> None:
    with pytest.raises(WorkloadError, match=r"'depthwise' is a conv with G, layer 'pointwise'"):
        _ = Workload("mixed", LAYERS).bounds
