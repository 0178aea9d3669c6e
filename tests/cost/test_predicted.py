"""Predicted latency keeps the contract of a differentiable model, and says where it was trained."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.cost.contract import DifferentiableModel, Quantities
from tests.helpers import gemmini, generator, integer_mappings
from tests.helpers_predictors import latency_by, predictor, save
from tests.search.helpers import SMALL
from tilegrad.cost.footprint import Footprint, energy_pj
from tilegrad.cost.hardware import least_hardware
from tilegrad.cost.latency import LatencyModel, model_footprint
from tilegrad.errors import ConfigError
from tilegrad.mapping import LoopNest
from tilegrad.predictors.latency import PredictedLatency, predicted_latency

HARDWARE = {"pe_dim": 16.0, "scratchpad_kb": 64.0, "accumulator_kb": 32.0}
ROWS = 6


def latency(model: LatencyModel, mapping: LoopNest, strides: Tensor) -> Quantities:
    """Return each mapping's latency on the smallest hardware that holds it."""
    sums = model_footprint(model, mapping, mapping.bounds(), strides, gemmini())
    hardware = least_hardware(gemmini(), sums.needs.unbind(-1), {}, False).hardware
    return {"cycles": model.cycles(sums, gemmini(), hardware)}


class TestMlpOfTheNest(DifferentiableModel):
    rounding = 1e-13
    evaluate = partial(latency, latency_by(predictor("mlp", SMALL, activation="silu")))


class TestMlpOfSchedulesAsTheyAre(DifferentiableModel):
    rounding = 1e-13
    evaluate = partial(latency, latency_by(predictor("mlp", SMALL, "raw", activation="silu")))


class TestRooflineOfEdp(DifferentiableModel):
    rounding = 1e-13
    evaluate = partial(latency, latency_by(predictor("roofline", SMALL, targets=("edp",))))


def sums_of(model: LatencyModel) -> Footprint:
    """Return footprints ``[row]`` of random mappings."""
    mapping = integer_mappings(gemmini(), ROWS, generator(3))
    strides = torch.ones(ROWS, 4, dtype=torch.float64)
    sums = model_footprint(model, mapping, mapping.bounds(), strides, gemmini())
    return sums.expand(ROWS)


def on(sizes: dict[str, float]) -> dict[str, Tensor]:
    return {name: torch.tensor(size, dtype=torch.float64) for name, size in sizes.items()}


def test_an_edp_divided_by_the_energy_is_a_latency() -> None:
    model = latency_by(predictor("linear", SMALL, targets=("energy", "edp")))
    sums = sums_of(model)
    columns = model.features.columns(sums, sums.context, gemmini(), on(HARDWARE))
    edp = model.predictor(columns)[:, 1].exp()
    energy = energy_pj(sums, gemmini(), on(HARDWARE)) * 1e-6
    found = model.predicted(sums, gemmini(), on(HARDWARE))
    torch.testing.assert_close(found * energy, edp, rtol=1e-9, atol=0)


def with_range(model: PredictedLatency, column: str, lowest: float, highest: float) -> int:
    """Let a column have had a range in training, and all others every value; return its place."""
    made = model.predictor
    made.lowest.fill_(-math.inf)
    made.highest.fill_(math.inf)
    place = made.schema.columns.index(column)
    made.lowest[place], made.highest[place] = math.log(lowest), math.log(highest)
    return place


def test_hardware_unlike_the_trainings_is_raised_and_reported() -> None:
    model = latency_by(predictor("linear", SMALL), penalty=2.0)
    with_range(model, "hardware.scratchpad_kb", 8, 16)
    sums = sums_of(model)
    predicted = model.predicted(sums, gemmini(), on(HARDWARE))
    raised = model.cycles(sums, gemmini(), on(HARDWARE))
    # Twice a log 64 / 16, but for the thousandth by which ranges are widened.
    torch.testing.assert_close(
        raised / predicted, torch.full((ROWS,), 16.0).double(), rtol=3e-3, atol=0
    )
    for (departure,) in model.departures(sums, gemmini(), on(HARDWARE)):
        assert (departure.feature, departure.unit) == ("hardware.scratchpad_kb", "KB")
        assert departure.value == pytest.approx(64)
        assert (departure.lowest, departure.highest) == pytest.approx((8, 16))
    inside = on({**HARDWARE, "scratchpad_kb": 12.0})
    assert model.departures(sums, gemmini(), inside) == [[]] * ROWS
    assert torch.equal(
        model.cycles(sums, gemmini(), inside), model.predicted(sums, gemmini(), inside)
    )


def test_mappings_unlike_the_trainings_are_reported_but_not_raised() -> None:
    model = latency_by(predictor("linear", SMALL, "raw"))
    sums = sums_of(model)
    place = with_range(model, "temporal.DRAM.K", 2, 3)
    columns = model.features.columns(sums, sums.context, gemmini(), on(HARDWARE))
    factors = columns[:, place].exp().round()
    found = model.departures(sums, gemmini(), on(HARDWARE))
    assert [bool(row) for row in found] == [not 2 <= factor <= 3 for factor in factors.tolist()]
    assert len({bool(row) for row in found}) == 2
    assert torch.equal(
        model.cycles(sums, gemmini(), on(HARDWARE)), model.predicted(sums, gemmini(), on(HARDWARE))
    )


def test_less_than_a_hundredth_outside_is_not_reported() -> None:
    model = latency_by(predictor("linear", SMALL, "raw"))
    sums = sums_of(model)
    place = with_range(model, "temporal.DRAM.K", 1.005, 1e6)
    columns = model.features.columns(sums, sums.context, gemmini(), on(HARDWARE))
    assert bool((model.predictor.beyond_range(columns)[:, place] > 0).any())
    assert model.departures(sums, gemmini(), on(HARDWARE)) == [[]] * ROWS


def test_counts_are_reported_as_they_are() -> None:
    model = latency_by(predictor("linear", SMALL, "raw"))
    made = model.predictor
    place = made.schema.columns.index("inside.DRAM.K")
    with_range(model, "inside.DRAM.K", 1, 1)
    made.lowest[place] = made.highest[place] = 9.0
    sums = sums_of(model)
    columns = model.features.columns(sums, sums.context, gemmini(), on(HARDWARE))
    for (departure,), row in zip(
        model.departures(sums, gemmini(), on(HARDWARE)), columns, strict=True
    ):
        assert (departure.value, departure.highest) == (float(row[place]), 9.0)
        assert departure.unit == "loops"


def test_a_checkpoint_predicts_what_was_saved(tmp_path: Path) -> None:
    made = predictor("mlp", SMALL)
    model = predicted_latency(save(made, tmp_path / "made.ckpt"), "made", gemmini(), 4.0)
    assert model.differentiable
    assert model.name == "mlp (analytical features), made"
    again = latency_by(made)
    sums = sums_of(model)
    for name in ("cycles", "predicted"):
        found, expected = (
            getattr(each, name)(sums, gemmini(), on(HARDWARE)) for each in (model, again)
        )
        assert torch.equal(found, expected)


def test_a_checkpoint_of_energy_alone_is_refused(tmp_path: Path) -> None:
    path = save(predictor("linear", SMALL, targets=("energy",)), tmp_path / "energy.ckpt")
    with pytest.raises(ConfigError, match=r"energy\.ckpt predicts energy; legal: .*latency or edp"):
        predicted_latency(path, "made", gemmini(), 4.0)
