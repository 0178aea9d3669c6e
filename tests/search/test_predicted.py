"""Searches by a predictor: the contract of the strategies, and prices asked for lazily."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.helpers import gemmini, generator
from tests.helpers_predictors import latency_by, predictor
from tests.search.contract import StrategyContract
from tests.search.helpers import (
    BRIEF_GRADIENT,
    SHORT_RANDOM,
    SMALL,
    TINY,
    record,
    run,
    small_problem,
)
from tilegrad.cost.latency import NEST_LATENCY
from tilegrad.errors import ConfigError, PredictionError
from tilegrad.predictors.elsewhere import SEVERAL_GROUPS
from tilegrad.predictors.latency import PredictedLatency, predicted_latency
from tilegrad.pretrained import checkpoint_path
from tilegrad.search import Strategy, random
from tilegrad.search.gradient.focus import Focus
from tilegrad.search.gradient.polish import candidates
from tilegrad.search.gradient.pool import LayerPool
from tilegrad.search.gradient.prices import prices, settle
from tilegrad.search.latency import check_shapes
from tilegrad.search.points import hardware_points
from tilegrad.shape import packaged_shape
from tilegrad.workload import Problem, Workload

POINTS = {
    "pe_dim": torch.tensor([4.0, 8.0, 16.0, 16.0]),
    "scratchpad_kb": torch.tensor([2.0, 8.0, 4.0, 64.0]),
    "accumulator_kb": torch.tensor([1.0, 8.0, 64.0, 32.0]),
}


@pytest.mark.exhaustive
class TestGradientByARoofline(StrategyContract):
    strategy = BRIEF_GRADIENT
    workload = TINY
    quick = ("caps", "fixed mesh and area cap")
    model = latency_by(predictor("roofline", TINY, correction=0.05))
    margin = 0.05


class TestRandomByAForest(StrategyContract):
    strategy = SHORT_RANDOM
    model = latency_by(predictor("forest", SMALL, trees=10))
    unit = (random, "MAPPINGS_PER_UNIT", 150)


def pool_of(layer: int) -> LayerPool:
    """Return random candidates of a layer, with what the raw features need."""
    problem = small_problem(model=RAW)
    table = problem.tables[layer]
    return candidates(table, table.random(40, generator(layer)).unique(dim=0), RAW)


RAW = latency_by(predictor("mlp", SMALL, "raw"))


@pytest.mark.parametrize("layer", range(3))
@pytest.mark.parametrize("slack", [0.0, 0.05, 1.0])
def test_what_was_not_asked_for_could_not_matter(layer: int, slack: float) -> None:
    """Against the prices of all candidates on all points, each asked for."""
    pool, points = pool_of(layer), hardware_points(gemmini(), POINTS)
    weights = (torch.tensor([1.0, 2.0, 1.0, 5.0]) / 1e7, torch.tensor([1.0, 1.0, 3.0, 0.1]) / 1e5)
    nest = prices(pool.sums, points, NEST_LATENCY)
    latency = torch.stack(
        [
            RAW.cycles(pool.sums, gemmini(), {name: v[point] for name, v in POINTS.items()})
            for point in range(len(points))
        ]
    )
    cost = nest.energy * weights[0].unsqueeze(-1) + latency * weights[1].unsqueeze(-1)
    found = Focus(points, weights, slack, RAW).cost(pool.sums)
    near = (cost <= cost.amin(1, keepdim=True) * (1 + slack)) & (cost < torch.inf)
    torch.testing.assert_close(found[near], cost[near], rtol=1e-12, atol=0)
    known = found < torch.inf
    torch.testing.assert_close(found[known], cost[known], rtol=1e-12, atol=0)
    kept = Focus(points, weights, slack, RAW).prune(pool)
    assert len(kept) == int(near.any(0).sum())


def test_candidates_that_do_not_fit_are_not_asked_for() -> None:
    pool = pool_of(0)
    points = hardware_points(gemmini(), POINTS)
    misfit = prices(pool.sums, points, NEST_LATENCY).latency == torch.inf
    assert misfit.any()
    asked = prices(pool.sums, points, RAW)
    weights = (torch.ones(4, dtype=torch.float64), torch.ones(4, dtype=torch.float64))
    settle([asked], [weights], 1e9)
    assert torch.equal(asked.latency == torch.inf, misfit)


def test_layers_are_asked_for_together_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches that hold several layers, and parts of one."""
    monkeypatch.setattr("tilegrad.search.gradient.prices.PAIRS_AT_ONCE", 50)
    points = hardware_points(gemmini(), POINTS)
    weights = (torch.full((4,), 1e-7), torch.full((4,), 1e-5))
    together, alone = ([prices(pool_of(n).sums, points, RAW) for n in range(3)] for _ in range(2))
    settle(together, [weights] * len(together), 1.0)
    for one, other in zip(alone, together, strict=True):
        settle([one], [weights], 1.0)
        assert (one.latency < torch.inf).sum() > 50
        torch.testing.assert_close(other.latency, one.latency, rtol=1e-12, atol=0)


@pytest.mark.parametrize("strategy", [SHORT_RANDOM, BRIEF_GRADIENT])
def test_a_prediction_that_is_no_number_ends_the_search(
    strategy: Strategy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where those of the smallest mappings, asked for first, are numbers."""
    model = latency_by(predictor("linear", SMALL))
    problem = small_problem(model=model)
    plain, layers = model.predictor.standardised, len(SMALL.layers)

    def standardised(features: torch.Tensor) -> torch.Tensor:
        return plain(features) * (1.0 if features[..., 0].numel() <= layers else torch.nan)

    monkeypatch.setattr(model.predictor, "standardised", standardised)
    problem.check_predictions()
    with pytest.raises(PredictionError, match=r"\(linear\) predicts no finite latency for .* of"):
        run(problem, strategy, tmp_path)


def test_the_record_tells_predictions_from_the_nests_figures(tmp_path: Path) -> None:
    model = latency_by(predictor("roofline", SMALL))
    model.predictor.highest.fill_(0.0)
    problem = small_problem(model=model)
    state, _ = run(problem, SHORT_RANDOM, tmp_path)
    found = record(state, problem)
    plain = record(state, small_problem())
    assert {name: found[name] for name in plain if name != "layers"} == {
        name: value for name, value in plain.items() if name != "layers"
    }
    cycles = 0.0
    for layer, nest in zip(found["layers"], plain["layers"], strict=True):
        cycles += layer["count"] * layer["predicted_cycles"]
        outside = layer["outside_training_range"]
        assert {each["feature"] for each in outside} >= {"hardware.pe_dim", "traffic.macs"}
        assert {name: layer[name] for name in nest} == nest
    assert found["predicted"]["cycles"] == pytest.approx(cycles)
    assert found["predicted"]["edp"] == pytest.approx(cycles * found["energy_uj"])
    assert found["predicted"]["model"] == model.name
    assert found["predicted"]["cycles"] != found["cycles"]


@pytest.fixture(scope="module")
def rtl() -> PredictedLatency:
    return predicted_latency(checkpoint_path("gemmini_rtl"), "gemmini_rtl", gemmini(), 4.0)


@torch.no_grad()
def test_no_memories_take_less_than_the_bound_of_a_mesh(rtl: PredictedLatency) -> None:
    """So that fewer are asked for, and the best is the same."""
    table = small_problem(model=rtl).tables[0]
    factors = table.random(60, generator(5)).unique(dim=0)
    sums = candidates(table, factors, rtl).sums
    sizes = torch.tensor([0.5, 2.0, 8.0, 64.0, 512.0], dtype=torch.float64)
    hardware = {
        "pe_dim": torch.full((25,), 16.0, dtype=torch.float64),
        "scratchpad_kb": sizes.repeat(5),
        "accumulator_kb": sizes.repeat_interleave(5),
    }
    least = rtl.least(sums, gemmini(), hardware)
    assert least is not None
    points = hardware_points(gemmini(), hardware)
    each = [{name: v[point] for name, v in hardware.items()} for point in range(25)]
    cycles = torch.stack([rtl.cycles(sums, gemmini(), there) for there in each])
    assert (cycles >= least * (1 - 1e-9)).all()
    assert (cycles.amin(0) < 2 * least).any()
    asked = prices(sums, points, rtl)
    weights = torch.full((25,), 1e-7).double(), torch.full((25,), 1e-4).double()
    settle([asked], [weights], 0.1)
    whole = asked.energy * 1e-7 + cycles * 1e-4
    best = whole.amin(1, keepdim=True)
    wanted = (whole <= best * 1.1) & (best < torch.inf)
    assert asked.latency[wanted].tolist() == pytest.approx(cycles[wanted].tolist())
    by_energy = (asked.energy * 1e-7 <= best * 1.1) & (best < torch.inf)
    assert (asked.latency < torch.inf).sum() < by_energy.sum()
    varied = {**hardware, "pe_dim": hardware["pe_dim"] + (sizes.repeat(5) > 8)}
    assert rtl.least(sums, gemmini(), varied) is None


GROUPS = Workload(
    "groups",
    (
        Problem.from_fields("depthwise", {"R": 3, "S": 3, "P": 8, "Q": 8, "C": 1, "K": 1, "G": 12}),
        Problem.from_fields("pointwise", {"R": 1, "S": 1, "P": 8, "Q": 8, "C": 12, "K": 16}),
        Problem.from_fields("grouped", {"R": 3, "S": 3, "P": 8, "Q": 8, "C": 4, "K": 2, "G": 4}),
    ),
)


def test_layers_of_several_groups_are_priced_and_said_to_be_unknown(
    rtl: PredictedLatency, tmp_path: Path
) -> None:
    problem = small_problem(workload=GROUPS, model=rtl)
    state, _ = run(problem, SHORT_RANDOM, tmp_path)
    assert state.best is not None
    found = record(state, problem)
    for layer, stated in zip(GROUPS, found["layers"], strict=True):
        alone = small_problem(workload=Workload("alone", (layer,)), model=rtl)
        place = [each.name for each in GROUPS].index(layer.name)
        nest = state.best[place].over(len(layer.shape.dims)).alone()
        sums = alone.footprint(nest.alone())[0]
        sizes = {name: float(value) for name, value in found["hardware"].items()}
        (cycles,) = rtl.predicted(sums, gemmini(), sizes)
        assert stated["predicted_cycles"] == pytest.approx(float(cycles), rel=1e-9)
        groups = [each for each in stated["outside_training_range"] if each["feature"] == "groups"]
        several = layer.as_dict().get("G", 1)
        assert [each["value"] for each in groups] == ([several] if several > 1 else [])
        # As far from what was measured as another machine.
        columns = rtl.features.columns(sums, sums.context, gemmini(), sizes)
        trained = rtl.predictor.half_width(columns, 0.9)
        factor = rtl.factor(sums, gemmini(), sizes, 0.9)
        assert trained is not None
        assert factor is not None
        wider = SEVERAL_GROUPS if groups else 1.0
        assert float(factor.log()) == pytest.approx(wider * float(trained), rel=1e-9)


def test_other_features_know_one_group_only(rtl: PredictedLatency) -> None:
    check_shapes(rtl, GROUPS, "mine")
    with pytest.raises(ConfigError, match=r"layer 'depthwise' is a conv with G.*of one group"):
        check_shapes(RAW, GROUPS, "mine")
    attention = Problem.from_fields(
        "scores", {"G": 4, "P": 16, "C": 8, "K": 16}, shape=packaged_shape("batched_matmul")
    )
    with pytest.raises(ConfigError, match="layer 'scores' is a batched_matmul"):
        check_shapes(rtl, Workload("attention", (attention,)), "mine")
