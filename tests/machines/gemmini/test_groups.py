"""Layers of several groups: as many convolutions one after another, or channel by channel."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.helpers import gemmini
from tilegrad.cost.footprint import Footprint
from tilegrad.machines.gemmini.system import System
from tilegrad.mapping import LoopNest
from tilegrad.predictors.features import feature_set
from tilegrad.predictors.features.commands import asked, counted
from tilegrad.workload import Problem

COMMANDS = feature_set("commands")
NAMES = [column.name for column in COMMANDS.schema(gemmini())]
HARDWARE = {"pe_dim": 16.0, "scratchpad_kb": 128.0, "accumulator_kb": 32.0}
EACH = {"R": 3, "S": 3, "P": 14, "Q": 12, "C": 20, "K": 24, "N": 2}
TILE = {"R": 3, "S": 3, "P": 7, "Q": 4, "C": 10, "K": 12, "N": 1}


def layer(groups: int, **sizes: int) -> Problem:
    return Problem.from_fields("layer", {**EACH, **sizes, "G": groups})


def features(problem: Problem, cold: bool = False, tile: dict[str, int] = TILE) -> dict[str, float]:
    """Return the columns of a layer with a tile, its groups' loop in the accumulator."""
    dims = problem.shape.dims
    size = torch.tensor(
        [min(tile.get(dim, 1), b) for dim, b in zip(dims, problem.bounds, strict=True)]
    )
    bounds, strides = (
        torch.tensor(v, dtype=torch.float64) for v in (problem.bounds, problem.strides)
    )
    temporal = torch.ones(4, len(dims), dtype=torch.float64)
    temporal[1], temporal[3] = size, bounds / size
    if "G" in dims:
        temporal[1, -1], temporal[3, -1] = bounds[-1], 1
    spatial = torch.ones(4, 2, len(dims), dtype=torch.float64)
    nest = LoopNest(temporal, spatial, torch.arange(len(dims)).expand(4, -1))
    machine = {"warm": 0.0, "cache_kb": 1e6, "memory_cache_kb": 0.0} if cold else {}
    accelerator = replace(gemmini(), machine={**gemmini().machine, **machine})
    context = COMMANDS.context(nest, bounds, strides, accelerator)
    nothing = Footprint(*(context[..., :1] for _ in range(5)))
    found: Tensor = COMMANDS.columns(nothing, context, accelerator, HARDWARE)
    return dict(zip(NAMES, found.tolist(), strict=True))


def test_groups_are_as_many_convolutions() -> None:
    alone, groups = features(layer(1)), features(layer(5))
    assert groups["matmul"] == alone["matmul"] == 0
    for name in NAMES:
        # Pages change more often, as the channels of all groups lie side by side.
        times = 5 if name.startswith("count") else 1
        if not name.startswith("miss") and "pages" not in name:
            assert groups[name] == pytest.approx(alone[name] + math.log(times), abs=1e-9), name
    for name in ("count.input_pages", "count.store_pages"):
        assert groups[name] == pytest.approx(alone[name] + math.log(25), abs=1e-9)


def test_kernels_of_one_pixel_are_no_product_with_groups() -> None:
    assert features(layer(1, R=1, S=1))["matmul"] == 1
    assert features(layer(5, R=1, S=1))["matmul"] == 0


@pytest.mark.parametrize("groups", [64, 80])
def test_depthwise_layers_take_their_channels_one_by_one(groups: int) -> None:
    found = features(layer(groups, C=1, K=1))
    tiles = 2 * 2 * 3 * groups
    assert found["count.tiles"] == pytest.approx(math.log(tiles))
    assert found["count.weight_requests"] == pytest.approx(math.log(9 * tiles))
    assert found["count.store_requests"] == pytest.approx(math.log(14 * 12 * 2 * groups))


@pytest.mark.parametrize("sizes", [{"C": 1, "K": 1}, {"C": 4, "K": 8}])
def test_a_large_cache_fetches_every_line_once(sizes: dict[str, int]) -> None:
    """Cold: the tensors' bytes, the groups' side by side; a group's weights are one piece."""
    problem = layer(64, **sizes)
    found = features(problem, cold=True)
    words = problem.tensor_sizes()
    pairs = (("input", "Inputs"), ("weight", "Weights"), ("store", "Outputs"))
    for name, role in pairs:
        assert found[f"miss.{name}"] == pytest.approx(math.log(words[role] / 64), abs=0.01), name


def test_layers_with_and_without_groups_are_counted_side_by_side() -> None:
    contexts = []
    for problem in (layer(1), layer(5), layer(48, C=1, K=1), layer(1, R=1, S=1)):
        dims = len(problem.shape.dims)
        bounds, strides = (torch.tensor([v]).double() for v in (problem.bounds, problem.strides))
        nest = LoopNest(
            torch.stack([bounds[0] * 0 + 1] * 3 + [bounds[0]])[None],
            torch.ones(1, 4, 2, dims, dtype=torch.float64),
            torch.arange(dims).expand(1, 4, -1),
        )
        contexts.append(COMMANDS.context(nest, bounds, strides, gemmini()))
    rows, *_ = asked(torch.cat(contexts), HARDWARE)
    together = counted(System(), rows)
    for place in range(4):
        alone = counted(System(), rows[place : place + 1])
        torch.testing.assert_close(together[place : place + 1], alone, rtol=1e-12, atol=1e-12)
