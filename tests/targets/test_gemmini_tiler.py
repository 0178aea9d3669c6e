"""Gemmini's own tiles: what its greedy rules promise, on every layer of the packaged networks."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
import pytest
import torch

from tests.helpers import gemmini, is_product
from tests.helpers_published import FACTS
from tilegrad.cost.analytical import layer_cost
from tilegrad.cost.capacity import find_overflows
from tilegrad.errors import InfeasibleError
from tilegrad.machines.gemmini.calls import DEPTHWISE
from tilegrad.machines.gemmini.generator import Generator, generator, halves
from tilegrad.machines.gemmini.given import GivenCall
from tilegrad.machines.gemmini.nests import tile_nest
from tilegrad.mapping import LoopNest, stack
from tilegrad.mapping.validity import find_violations
from tilegrad.nest import analyse
from tilegrad.shape.conv import DIMS
from tilegrad.targets.gemmini.layers import called
from tilegrad.targets.gemmini.strategy import library_nest
from tilegrad.targets.gemmini.tiler import library_blocks, library_call, library_tile
from tilegrad.workload import Problem, load_workload, packaged_networks

HARDWARE = (
    {"pe_dim": 16, "scratchpad_kb": 128, "accumulator_kb": 32},
    {"pe_dim": 8, "scratchpad_kb": 16, "accumulator_kb": 16},
    {"pe_dim": 32, "scratchpad_kb": 512, "accumulator_kb": 64},
)
SHAPES = sorted(
    {
        (layer.bounds, layer.strides)
        for network in packaged_networks()
        for layer in load_workload(network).layers
    }
)
LAYERS = [Problem("layer", bounds, strides) for bounds, strides in SHAPES]


def rows(tile: dict[str, int], problem: Problem, side: int) -> tuple[int, int]:
    """Return rows of scratchpad and accumulator, from Gemmini's documented layout.

    A row holds ``side`` channels of a pixel, or ``side`` filters of a weight's channel; a product's
    memories hold whole blocks of ``side`` rows.
    """
    channels, filters = (math.ceil(tile[dim] / side) for dim in "CK")
    pixels = tile["P"] * tile["Q"] * tile["N"]
    if is_product(problem):
        height = math.ceil(pixels / side)
        return (height + filters) * channels * side, height * filters * side
    wstride, hstride, wdilation, hdilation = problem.strides
    wide = tile["P"] * wstride + (tile["R"] - 1) * wdilation
    high = tile["Q"] * hstride + (tile["S"] - 1) * hdilation
    weights = tile["R"] * tile["S"] * tile["C"] * filters
    return tile["N"] * wide * high * channels + weights, pixels * filters


def fits(tile: dict[str, int], problem: Problem, built: Generator) -> bool:
    found = rows(tile, problem, built.dim)
    return all(taken <= half for taken, half in zip(found, built.tile_rows, strict=True))


@pytest.mark.parametrize("sizes", HARDWARE, ids=[str(sizes["pe_dim"]) for sizes in HARDWARE])
def test_tiles_fit_and_cannot_grow(sizes: dict[str, float]) -> None:
    built = generator(sizes)
    assert len(LAYERS) > 50
    for problem in LAYERS:
        tile = library_tile(problem, built)
        bounds = dict(zip(DIMS, problem.bounds, strict=True))
        assert all(1 <= tile[dim] <= bounds[dim] for dim in DIMS), (problem, tile)
        assert fits(tile, problem, built), (problem, tile)
        for dim in () if is_product(problem) else DIMS:
            larger = {**tile, dim: min(tile[dim] + 1, bounds[dim])}
            assert larger == tile or not fits(larger, problem, built), (problem, tile, dim)


@pytest.mark.parametrize("sizes", HARDWARE, ids=[str(sizes["pe_dim"]) for sizes in HARDWARE])
def test_blocks_of_products_fit_and_cannot_grow(sizes: dict[str, float]) -> None:
    """Rows of a product's tile may end inside an image, which the tile's extents do not."""
    built = generator(sizes)
    operands, sums = built.tile_rows
    products = [problem for problem in LAYERS if is_product(problem)]
    assert len(products) > 20
    for problem in products:
        *_, p, q, c, k, n = problem.bounds
        whole = [math.ceil(size / built.dim) for size in (p * q * n, k, c)]
        blocks = library_blocks(problem, built)
        tile = library_tile(problem, built)
        assert tile["P"] * tile["Q"] * tile["N"] <= blocks[0] * built.dim

        def fitting(rows: int, filters: int, channels: int) -> bool:
            taken = (rows + filters) * channels * built.dim, rows * filters * built.dim
            return taken[0] <= operands and taken[1] <= sums

        assert fitting(*blocks), (problem, blocks)
        for place, most in enumerate(whole):
            larger = [size + (at == place) for at, size in enumerate(blocks)]
            assert larger[place] > most or not fitting(*larger), (problem, blocks, place)


@pytest.mark.parametrize("sizes", HARDWARE, ids=[str(sizes["pe_dim"]) for sizes in HARDWARE])
def test_nests_stand_for_the_tiles(sizes: dict[str, float]) -> None:
    """Legal, on the hardware, with as many tiles as the library's; a product's cut no image."""
    built, layers = generator(sizes), LAYERS[::5]
    nests = [library_nest(problem, sizes, gemmini()) for problem in layers]
    bounds = torch.tensor([problem.bounds for problem in layers], dtype=torch.float64)
    strides = torch.tensor([problem.strides for problem in layers], dtype=torch.float64)
    assert find_violations(stack(nests), bounds, gemmini()) == {}
    assert find_overflows(analyse(stack(nests), strides, gemmini()), gemmini(), sizes) == {}
    for problem, nest in zip(layers, nests, strict=True):
        assert nest.spatial.max() <= sizes["pe_dim"]
        tile = library_tile(problem, built)
        inside = nest.temporal[:-1].prod(0) * nest.spatial.prod(0).prod(0)
        extents = dict(zip(DIMS, inside.int().tolist(), strict=True))
        tiles = dict(zip(DIMS, nest.temporal[-1].int().tolist(), strict=True))
        sized = dict(zip(DIMS, problem.bounds, strict=True))
        for dim in "CK" if is_product(problem) else DIMS:
            assert tiles[dim] == math.ceil(sized[dim] / tile[dim]), (problem, dim)
        if is_product(problem):
            rows = library_blocks(problem, built)[0] * built.dim
            assert extents["P"] * extents["Q"] * extents["N"] <= rows


def test_depthwise_tiles_are_those_of_the_library() -> None:
    """As ``tiled_conv_dw_auto`` chose them on a host, for memories of several sizes."""
    table = pd.read_csv(FACTS / "gemmini_calls" / "groups.csv")
    chosen = table[table.auto == 1]
    assert len(chosen) > 15
    for row in chosen.itertuples():
        built = replace(
            generator(HARDWARE[0]),
            dim=row.dim,
            scratchpad_kb=row.bank_rows * 4 * row.dim / 1024,
            accumulator_kb=row.accumulator_rows * 4 * row.dim / 1024,
        )
        fields = {dim: int(getattr(row, dim)) for dim in (*DIMS, "G")}
        steps = dict.fromkeys(("Wstride", "Hstride"), int(row.stride))
        problem = Problem.from_fields("depthwise", {**fields, **steps})
        recorded = {dim: int(table.at[row.Index, f"tile.{dim}"]) for dim in DIMS}
        assert library_tile(problem, built) == recorded
        call = library_call(problem, built)
        assert call.name == DEPTHWISE
        assert GivenCall.read(str(call)) == call
        assert call.extents(dict(zip(DIMS, problem.bounds, strict=False)), built.dim) == recorded


@pytest.mark.parametrize("each", [(1, 1), (10, 6)])
def test_groups_are_loops_over_tiles_of_one(each: tuple[int, int]) -> None:
    channels, filters = each
    fields = {"R": 3, "S": 3, "P": 50, "Q": 28, "C": channels, "K": filters, "G": 24}
    problem = Problem.from_fields("groups", fields)
    nest = library_nest(problem, HARDWARE[0], gemmini())
    there = gemmini().running(problem.shape)
    bounds, ones = torch.tensor(problem.bounds).double(), torch.ones(4).double()
    assert find_violations(nest.alone(), bounds, there) == {}
    assert find_overflows(analyse(nest.alone(), ones, there), there, HARDWARE[0]) == {}
    assert nest.temporal[:, -1].tolist() == [1, 1, 1, 24]
    # Channel by channel inside a tile of pixels, or group by group around all.
    inside = nest.order[-1].tolist().index(7)
    assert inside == (4 if each == (1, 1) else 0)


def test_a_call_of_another_kind_is_refused_by_name() -> None:
    fields = {"R": 3, "S": 3, "P": 14, "Q": 14, "C": 1, "K": 1, "G": 24}
    problem = Problem.from_fields("depthwise", fields)
    built, nest = halves(HARDWARE[0]), library_nest(problem, HARDWARE[0], gemmini())
    own = str(library_call(problem, built))
    assert str(called(problem, nest, built, own).call) == own
    other = "tiled_conv batches=1 orows=1 ocols=1 ochs=1 krows=1 kcols=1 kchs=1"
    with pytest.raises(InfeasibleError, match=r"legal: a tile of tiled_conv_dw\)"):
        called(problem, nest, built, other)


def test_even_tiles_take_what_ragged_ones_do() -> None:
    """Against the pieces that the library's own tiles cut, each a layer by itself."""
    bounds = {"R": 3, "S": 3, "P": 28, "Q": 28, "C": 64, "K": 96, "N": 1}
    problem = Problem("layer", tuple(bounds.values()))  # type: ignore[arg-type]
    tile = library_tile(problem, generator(HARDWARE[0]))
    assert [dim for dim in DIMS if bounds[dim] % tile[dim]] == ["P", "Q"]
    pieces = [
        {"P": wide, "Q": high}
        for wide in (tile["P"], 28 - tile["P"])
        for high in (tile["Q"], 28 - tile["Q"])
    ]
    ragged = sum(energy(tile_nest({**tile, **cut}, {**bounds, **cut}, 16)) for cut in pieces)
    assert energy(library_nest(problem, HARDWARE[0], gemmini())) == pytest.approx(ragged, rel=0.05)
    assert energy(tile_nest(tile, bounds, 16)) > 2 * ragged


def energy(nest: LoopNest) -> float:
    ones = torch.ones(4, dtype=torch.float64)
    return float(layer_cost(analyse(nest, ones, gemmini()), gemmini(), HARDWARE[0]).energy_pj)


@pytest.mark.parametrize(
    ("bounds", "strides", "tile"),
    [
        # 4 x 4 blocks of sums, 256 of 512 rows.
        ((1, 1, 64, 1, 64, 64, 1), (1, 1, 1, 1), (1, 1, 64, 1, 64, 64, 1)),
        # 5 x 5 blocks of sums are the largest square in 32; 10 x 51 blocks of operands in 512.
        ((1, 1, 1024, 1, 4096, 1024, 1), (1, 1, 1, 1), (1, 1, 80, 1, 816, 80, 1)),
        # A product of 784 pixels: 32 blocks of 16 sums, of which 18 rows of the image are whole.
        ((1, 1, 28, 28, 16, 16, 1), (1, 1, 1, 1), (1, 1, 28, 18, 16, 16, 1)),
        # Rows and columns shrink in turn, from 28 x 28 sums to the first that are at most 512.
        ((2, 1, 28, 28, 16, 16, 1), (1, 1, 1, 1), (2, 1, 23, 22, 16, 16, 1)),
        # The whole layer: 16 x 16 inputs of one block, 9 x 16 weights; 196 sums of 512.
        ((3, 3, 14, 14, 16, 16, 1), (1, 1, 1, 1), (3, 3, 14, 14, 16, 16, 1)),
    ],
)
def test_tiles_by_hand(
    bounds: tuple[int, ...], strides: tuple[int, ...], tile: tuple[int, ...]
) -> None:
    """On Gemmini's default: half of 256 KB and of 64 KB is 8,192 and 512 rows."""
    found = library_tile(Problem("layer", bounds, strides), generator(HARDWARE[0]))  # type: ignore[arg-type]
    assert tuple(found[dim] for dim in DIMS) == tile
