"""What a search asks a pipeline for is what its features and its forward pass say."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.helpers import gemmini, generator
from tilegrad.cost.footprint import Footprint
from tilegrad.cost.latency import model_footprint
from tilegrad.mapping.sampling import Sampler
from tilegrad.predictors.latency import PredictedLatency, predicted_latency
from tilegrad.pretrained import checkpoint_path
from tilegrad.workload import Problem

LAYERS = (
    Problem("convolution", (3, 3, 14, 14, 24, 40, 1), (2, 2, 1, 1)),
    Problem("product", (1, 1, 96, 1, 60, 72, 1)),
)
ROWS = 120


@pytest.fixture(scope="module")
def rtl() -> PredictedLatency:
    return predicted_latency(checkpoint_path("gemmini_rtl"), "gemmini_rtl", gemmini(), 4.0)


def sums_of(layer: Problem, model: PredictedLatency) -> Footprint:
    nests = Sampler(gemmini(), layer, {"pe_dim": 16.0}).draw(ROWS, generator(0))
    bounds, strides = (
        torch.tensor([sizes], dtype=torch.float64) for sizes in (layer.bounds, layer.strides)
    )
    return model_footprint(model, nests, bounds, strides, gemmini()).expand(ROWS)


def sizes() -> dict[str, Tensor]:
    """Return arrays up to beyond the range of the training, and memories that do not hold all."""
    shares = torch.rand(2, ROWS, generator=generator(1), dtype=torch.float64)
    return {
        "pe_dim": torch.tensor([2.0, 12.0, 16.0, 256.0], dtype=torch.float64).repeat(ROWS // 4),
        "scratchpad_kb": (shares[0] * 8).exp(),
        "accumulator_kb": (shares[1] * 6).exp(),
    }


def batched(sums: Footprint) -> Footprint:
    """Return the same with one dimension more: such mappings are looked at one by one."""
    return Footprint(*(part.unsqueeze(0) for part in sums.parts))


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_cycles_are_those_of_features_and_predictor(rtl: PredictedLatency, layer: Problem) -> None:
    sums, hardware = sums_of(layer, rtl), sizes()
    expected = rtl.cycles(batched(sums), gemmini(), hardware)[0]
    found = rtl.cycles(sums, gemmini(), hardware)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    assert (expected > 10 * rtl.predicted(sums, gemmini(), hardware)).any()
    assert torch.equal(
        rtl.cycles(sums[40:50], gemmini(), {n: v[40:50] for n, v in hardware.items()}), found[40:50]
    )


def test_other_programs_and_upper_ends_are_told_apart(rtl: PredictedLatency) -> None:
    sums, hardware = sums_of(LAYERS[0], rtl), sizes()
    upper = replace(rtl, upper=0.9)
    torch.testing.assert_close(
        upper.cycles(sums, gemmini(), hardware),
        upper.cycles(batched(sums), gemmini(), hardware)[0],
        rtol=1e-12,
        atol=0,
    )
    cold = replace(gemmini(), machine={**gemmini().machine, "warm": 0.0})
    found = rtl.cycles(sums, cold, hardware)
    assert (found > rtl.cycles(sums, gemmini(), hardware)).any()
    expected = rtl.cycles(batched(sums), cold, hardware)[0]
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
