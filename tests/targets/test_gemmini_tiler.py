"""Gemmini's own tiles: what its greedy rules promise, on every layer of the packaged networks."""

from __future__ import annotations

import math

import pytest
import torch

from tests.helpers import gemmini, is_product
from tests.helpers_literal import not_proposed
from tilegrad.machines.gemmini.generator import Generator, generator
from tilegrad.mapping import stack
from tilegrad.mapping.validity import find_violations
from tilegrad.shape.conv import DIMS
from tilegrad.targets.gemmini.strategy import library_nest
from tilegrad.targets.gemmini.tiler import library_blocks, library_tile
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
def test_nests_are_legal_and_no_larger_than_the_tiles(sizes: dict[str, float]) -> None:
    built = generator(sizes)
    nests = [library_nest(problem, sizes) for problem in LAYERS]
    bounds = torch.tensor([problem.bounds for problem in LAYERS], dtype=torch.float64)
    assert find_violations(stack(nests), bounds, gemmini()) == {}
    for problem, nest in zip(LAYERS, nests, strict=True):
        assert not not_proposed(nest, gemmini())
        assert nest.spatial.max() <= sizes["pe_dim"]
        tile = library_tile(problem, built)
        inside = nest.temporal[:-1].prod(0) * nest.spatial.prod(0).prod(0)
        for dim, extent, bound in zip(DIMS, inside.tolist(), problem.bounds, strict=True):
            legal = [size for size in range(1, tile[dim] + 1) if bound % size == 0]
            assert extent == max(legal)


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
