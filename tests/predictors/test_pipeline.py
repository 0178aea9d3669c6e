"""The pipeline and the residual: bounds, slopes through the whole chain, members, refusals."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.helpers import free_factors, gemmini, generator, random_orders
from tests.predictors.helpers import rows, schedules, trained, untrained
from tilegrad.cost.latency import model_footprint
from tilegrad.errors import ConfigError
from tilegrad.mapping import LoopNest
from tilegrad.predictors import PREDICTORS, Pipeline, Residual, Schema
from tilegrad.predictors.base import Batch
from tilegrad.predictors.ensemble import _lead_of_the_mean
from tilegrad.predictors.familiar import LEAST
from tilegrad.predictors.latency import PredictedLatency
from tilegrad.predictors.stages import COSTS

LATENCY = ("latency",)
STEP = 1e-6
BOUNDS = (
    (3, 3, 28, 28, 64, 128, 1),
    (1, 1, 56, 56, 64, 64, 1),
    (1, 1, 512, 1, 768, 768, 1),
)
STRIDES = ((1, 1, 1, 1), (2, 2, 1, 1), (1, 1, 1, 1))
TILES = (
    (1.7, 2.3, 9.4, 6.6, 21.3, 37.2, 1),
    (1, 1, 13.7, 5.2, 17.8, 33.3, 1),
    # Gaining a block of 16: up to the next one, nothing changes in the tile of a product.
    (1, 1, 48.5, 1, 32.5, 64.5, 1),
)
HARDWARE = {"pe_dim": 16.0, "scratchpad_kb": 64.0, "accumulator_kb": 32.0}


def pipeline(**settings: object) -> Pipeline:
    made = trained("pipeline", LATENCY, **settings)
    assert isinstance(made, Pipeline)
    return made


def commands() -> Batch:
    """Return the made schedules by their commands."""
    seen = rows("commands", LATENCY)
    return seen[torch.arange(len(seen))]


def column(model: Pipeline | Residual, features: Tensor, name: str) -> Tensor:
    return features[..., model.schema.columns.index(name)]


def with_correction(model: Pipeline, value: float) -> Tensor:
    """Return the members' predictions where the network says ``value``, whatever it sees."""
    with torch.no_grad():
        model.correction.weight[-1].zero_()
        model.correction.bias[-1].fill_(value)
        return model.members(commands()["features"])


def test_costs_of_nothing_leave_the_rows_that_the_array_executes() -> None:
    model, features = pipeline(), commands()["features"]
    executed = column(model, features, "count.executed_rows").unsqueeze(-1)
    assert (model(features) >= executed).all()
    for cost in model.raw_cost.values():
        cost.fill_(-40.0)
    for parameter in (model.log_issue, model.log_start):
        parameter.fill_(-40.0)
    model.raw_sharpness.fill_(40.0)
    for value in (0.0, -100.0):
        torch.testing.assert_close(
            with_correction(model, value), executed.expand(-1, 3), rtol=0, atol=1e-4
        )
    higher = with_correction(model, 100.0) - executed
    torch.testing.assert_close(higher, torch.full_like(higher, 0.3), rtol=0, atol=1e-4)


def test_the_correction_is_bounded() -> None:
    model, features = pipeline(correction=0.2), commands()["features"]
    plain, up, down = (with_correction(model, value) for value in (0.0, 100.0, -100.0))
    torch.testing.assert_close(up - plain, torch.full_like(plain, 0.2), rtol=0, atol=1e-4)
    executed = column(model, features, "count.executed_rows").unsqueeze(-1)
    torch.testing.assert_close(down, torch.maximum(plain - 0.2, executed), rtol=0, atol=1e-4)
    assert (down > executed).any()


def test_the_prediction_is_at_least_the_longest_stages() -> None:
    """Tiles follow each other no faster than their longest stage, but for the correction."""
    model, features = pipeline(), commands()["features"]
    stages = model.stages(features)
    tiles = column(model, features, "count.tiles").unsqueeze(-1)
    least = tiles + stages.amax(-1).log()
    assert (with_correction(model, 0.0) >= least - 1e-5).all()
    names, longest = model.bottlenecks(features)
    assert names == ("issue", "load", "execute", "store", "memory")
    assert torch.equal(longest, stages.mean(1).argmax(1))
    assert len(longest.unique()) > 1


# A residual at its array's bound has no slope: here it cannot get there.
@pytest.mark.parametrize(("kind", "settings"), [("pipeline", {}), ("residual", {"limit": 0.2})])
@pytest.mark.parametrize("layer", range(len(BOUNDS)))
def test_slopes_in_the_mapping_are_those_of_differences(
    kind: str, settings: dict[str, float], layer: int
) -> None:
    """From relaxed factors to cycles, through tiling, counts, and the predictor, in doubles."""
    model = PredictedLatency(trained(kind, LATENCY, **settings).double(), 4.0, "made.ckpt")
    bounds = torch.tensor(BOUNDS[layer], dtype=torch.float64)
    strides = torch.tensor(STRIDES[layer], dtype=torch.float64)
    temporal, spatial = (free.double() for free in free_factors(gemmini()))
    source = generator(layer)
    orders = random_orders((4,), source)
    hardware = {name: torch.tensor(size, dtype=torch.float64) for name, size in HARDWARE.items()}

    def cycles(inner: Tensor, across: Tensor) -> Tensor:
        """Logs of factors inside DRAM's loops and of spatial ones; DRAM's are what is left."""
        inside, lanes = (inner * temporal[:-1]).exp(), (across * spatial).exp()
        left = bounds / (inside.prod(-2) * lanes.prod(-2).prod(-2))
        nest = LoopNest(torch.cat([inside, left.unsqueeze(0)]), lanes, orders)
        sums = model_footprint(model, nest, bounds, strides, gemmini())
        return model.cycles(sums, gemmini(), hardware).log()

    shares = [
        (0.3 + torch.rand(free.shape, generator=source, dtype=torch.float64)) * free
        for free in (temporal[:-1], spatial)
    ]
    whole = shares[0].sum(0) + shares[1].sum((0, 1))
    logs = torch.tensor(TILES[layer], dtype=torch.float64).log() / whole.clamp(min=1e-9)
    inner, across = (share * logs for share in shares)
    slopes = torch.autograd.functional.jacobian(cycles, (inner, across))
    there = (bounds > 1).double()
    free = (temporal[:-1] * there, spatial * there)
    seen = 0.0
    for place, slope in enumerate(slopes):
        for index in free[place].nonzero().tolist():
            moves = [torch.zeros_like(inner), torch.zeros_like(across)]
            moves[place][tuple(index)] = STEP
            ends = [cycles(inner + s * moves[0], across + s * moves[1]) for s in (1, -1)]
            expected = float(ends[0] - ends[1]) / (2 * STEP)
            assert float(slope[tuple(index)]) == pytest.approx(expected, rel=1e-5, abs=1e-7)
            seen += abs(expected)
    assert seen > 0.1


def test_tiles_that_fetch_lines_do_so_alone() -> None:
    """Of 1,024 tiles 16 fetch all lines, 64 times as many as a mean one, and wait as long."""
    model, (row, *_) = pipeline(), commands()["features"]
    places = {name: model.schema.columns.index(name) for name in model.schema.columns}
    tiles, few = torch.tensor([1024.0, 16.0]).log()
    row = row.clone()
    row[places["count.tiles"]] = tiles
    for cost in ("input", "weight"):
        row[places[f"miss.{cost}"]] = torch.tensor(2.0**20).log()
    spread, burst = row.clone(), row.clone()
    spread[places["miss.tiles"]] = tiles
    burst[places["miss.tiles"]] = few
    # The memory takes as long for a mean tile; in a burst, the rest of the pipeline does not hide
    # it, and tiles without lines take no longer than they take without memory.
    memory = [model.stages(each)[:, -1] for each in (spread, burst)]
    torch.testing.assert_close(memory[0], memory[1], rtol=1e-5, atol=0)
    for name in ("input", "weight", "store"):
        for far in ("", "far."):
            row[places[f"miss.{far}{name}"]] = -20.0
    for name in ("input", "weight"):
        row[places[f"miss.waits.{name}"]] = -20.0
    row[places["miss.tiles"]] = few
    without, at_once, evenly = (model.together(each)[0] for each in (row, burst, spread))
    assert (without < at_once).all()
    lines = memory[0] * 1024
    assert (at_once.exp() >= lines * 0.99).all()
    assert (evenly.exp() >= lines * 0.99).all()
    assert (at_once.exp() <= (without.exp() + lines * 2.0**0.5) * 1.5).all()


def slopes_of_members(model: Pipeline, batch: Batch) -> Tensor:
    """Return the loss's gradient in each member's parameters, ``[member, parameter]``."""
    parameters = list(model.parameters())
    loss = model._loss(batch)
    slopes = torch.autograd.grad(loss, parameters)
    return torch.cat([slope.reshape(len(slope), -1) for slope in slopes], 1)


@pytest.mark.parametrize("ranking", [0.0, 0.5])
def test_members_learn_nothing_of_the_layers_they_leave_out(ranking: float) -> None:
    model = pipeline().requires_grad_()
    model.loss = type(model.loss)(ranking=ranking)
    batch = commands()
    before = slopes_of_members(model, batch)
    for layer in range(6):
        of_layer = (batch["layer"] == layer).unsqueeze(-1)
        targets = torch.where(of_layer, -batch["log_targets"], batch["log_targets"])
        moved = {**batch, "log_targets": targets}
        changed = (slopes_of_members(model, moved) - before).abs().amax(1) > 1e-7
        assert changed.tolist() == [member != layer % 3 for member in range(3)]


def test_a_lone_member_sees_all_layers_and_has_no_intervals() -> None:
    model = pipeline(members=1).requires_grad_()
    batch = commands()
    before = slopes_of_members(model, batch)
    batch["log_targets"] = batch["log_targets"] + 0.1 * (batch["layer"] == 0).unsqueeze(-1)
    assert not torch.allclose(slopes_of_members(model, batch), before, rtol=0, atol=1e-7)
    model.calibrate(batch)
    assert model.half_width(batch["features"], 0.9) is None
    assert model.reaching_level(batch["features"], batch["log_targets"]) is None


def test_intervals_are_of_what_members_say_of_layers_they_left_out() -> None:
    model, batch = pipeline(), commands()
    # So that layers' targets are near, or far, by the member that left them out.
    members = model.members(batch["features"])
    own = members.gather(1, (batch["layer"] % 3).unsqueeze(1))
    batch["log_targets"] = own + 50.0
    assert model.half_width(batch["features"], 0.9) is None
    # All err by as much, though some are further from the others: those seen are near all.
    far = model.familiarise(batch, batch["layer"] % 3)
    assert far.median() == 1
    model.calibrate(batch)
    for level, relative in ((0.5, 50.0), (0.95, 50.0 / LEAST)):
        width = model.half_width(batch["features"], level)
        assert width is not None
        assert width.shape == (len(batch["features"]), 1)
        expected = torch.full_like(width, LEAST * relative)
        torch.testing.assert_close(width, expected, rtol=1e-2, atol=0)


def test_the_mean_of_members_errs_less_than_one_by_what_they_differ() -> None:
    random = torch.Generator().manual_seed(0)
    in_common = torch.randn(20_000, 1, generator=random)
    errors = in_common + 0.5 * torch.randn(20_000, 8, generator=random)
    found = _lead_of_the_mean(errors[:, 0], errors.std(-1), 8)
    expected = errors.mean(-1).abs().median() / errors[:, 0].abs().median()
    torch.testing.assert_close(found, expected, rtol=0.02, atol=0)


def test_the_networks_weights_alone_decay() -> None:
    model = untrained("pipeline", LATENCY)
    network, costs = model.descended()
    assert costs["weight_decay"] == 0
    both = [*network["params"], *costs["params"]]
    assert {id(each) for each in both} == {id(each) for each in model.parameters()}
    assert len(both) == len(list(model.parameters()))
    assert {id(each) for each in network["params"]} == {
        id(each) for each in model.correction.parameters()
    }


def test_the_residual_is_bounded_by_its_limit_and_by_the_array() -> None:
    model = trained("residual", LATENCY, limit=0.5)
    assert isinstance(model, Residual)
    features = rows("analytical", LATENCY).features
    nest = [p for p, name in enumerate(model.schema.columns) if name.startswith("roofline.")]
    analytical = features[:, nest].amax(1)
    bound = column(model, features, "roofline.arithmetic")
    bound = bound + column(model, features, "utilisation.arithmetic")
    assert (bound <= analytical + 1e-5).all()
    for sign in (1, -1):
        model.network[-1].weight.zero_()
        model.network[-1].bias.fill_(sign * 100.0)
        found = model(features).squeeze(-1)
        expected = torch.maximum(analytical + sign * 0.5, bound)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    # The whole array's cycles: no schedule can take fewer.
    made = schedules()
    whole = made.bounds.prod(-1) / made.hardware["pe_dim"] ** 2
    torch.testing.assert_close(bound.double(), whole.log(), rtol=0, atol=1e-4)


def test_the_residual_starts_from_the_nest() -> None:
    model = untrained("residual", LATENCY)
    features = rows("analytical", LATENCY).features
    nest = [p for p, name in enumerate(model.schema.columns) if name.startswith("roofline.")]
    torch.testing.assert_close(
        model(features).squeeze(-1), features[:, nest].amax(1), rtol=1e-5, atol=0
    )
    names, busiest = model.bottlenecks(features)  # type: ignore[misc]
    assert len(names) == len(nest)
    assert torch.equal(busiest, features[:, nest].argmax(1))


@pytest.mark.parametrize(
    ("kind", "features", "targets", "message"),
    [
        ("pipeline", "commands", ["edp"], r"pipeline predicts targets=\[latency\], not \['edp'\]"),
        ("residual", "analytical", ["latency", "edp"], r"residual predicts targets=\[latency\]"),
        ("pipeline", "analytical", ["latency"], r"features=analytical has no .*features=commands"),
        ("pipeline", "raw", ["latency"], r"features=raw has no column count\.input_requests"),
        ("residual", "raw", ["latency"], "features=raw has no columns roofline"),
        ("residual", "commands", ["latency"], "features=commands has no columns roofline"),
    ],
)
def test_wrong_targets_and_features_are_refused(
    kind: str, features: str, targets: list[str], message: str
) -> None:
    schema = Schema.of(features, gemmini(), targets)
    with pytest.raises(ConfigError, match=message):
        PREDICTORS[kind](schema)


@pytest.mark.parametrize(
    ("kind", "setting", "message"),
    [
        ("pipeline", {"members": 0}, "model.members is 0"),
        ("pipeline", {"correction": -1}, "model.correction is -1"),
        ("pipeline", {"hidden": [0]}, "model.hidden"),
        ("residual", {"limit": 0}, "model.limit is 0"),
    ],
)
def test_wrong_settings_are_refused(kind: str, setting: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        untrained(kind, LATENCY, **setting)


def test_every_cost_of_every_stage_is_told_by_its_name() -> None:
    model = pipeline()
    told = model.importances()["cycles.matmul"]
    assert len(told) == 1 + sum(len(costs) for costs in COSTS.values())
    wait = torch.nn.functional.softplus(model.raw_cost["wait"])[:, 1].mean(0)
    assert told["count.input_moves (wait)"] == pytest.approx(float(wait[0]))
    assert told["miss.store (store)"] == pytest.approx(
        float(torch.nn.functional.softplus(model.raw_cost["store"])[:, 1, 3].mean())
    )
