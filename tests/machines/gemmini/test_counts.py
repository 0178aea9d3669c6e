"""The closed forms of ``features=commands`` against a simulation of the library, tile by tile."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

import pytest
import torch
from torch import Tensor

from tests.helpers import gemmini, generator, is_product
from tests.machines.gemmini.simulated import Program, moved, published, requests, simulated, spans
from tilegrad.accelerator import Accelerator, load_accelerator
from tilegrad.cost.footprint import Footprint, footprint
from tilegrad.errors import ConfigError
from tilegrad.machines.gemmini.counts import UNITS
from tilegrad.machines.gemmini.tiling import Tiling
from tilegrad.mapping import LoopNest
from tilegrad.mapping.sampling import Sampler
from tilegrad.nest import analyse
from tilegrad.predictors import Schema
from tilegrad.predictors.features import feature_set
from tilegrad.schedules.schedules import PROGRAMS, PUBLISHED
from tilegrad.shape.conv import DIMS
from tilegrad.workload import Problem

EXPORTED = feature_set("commands")
COMMANDS = EXPORTED.measured_by(PUBLISHED)
NAMES = [column.name for column in COMMANDS.schema(gemmini())]
HALVES = {"scratchpad": 96, "accumulator": 24}
"""KB that a tile may take, unlike the measured machine's."""

LAYERS = (
    Problem("pointwise", (1, 1, 6, 4, 24, 80, 2)),
    Problem("kernel 3", (3, 3, 12, 8, 10, 24, 1)),
    Problem("strided", (3, 3, 10, 20, 8, 12, 1), (2, 2, 1, 1)),
    Problem("kernel 5", (5, 5, 6, 9, 4, 48, 1)),
    Problem("kernel 7", (7, 7, 8, 8, 3, 72, 1), (2, 2, 1, 1)),
    Problem("two kernels", (1, 7, 9, 6, 12, 20, 1)),
    Problem("even", (2, 2, 8, 6, 12, 8, 1)),
    Problem("even, strided", (4, 4, 6, 10, 6, 24, 1), (2, 2, 1, 1)),
    Problem("dilated", (3, 3, 9, 12, 6, 16, 1), (1, 1, 2, 2)),
    Problem("image smaller than kernel", (5, 5, 2, 2, 12, 8, 1)),
    Problem("output of even kernel in one", (4, 4, 1, 2, 8, 8, 1)),
    Problem("matmul", (1, 1, 40, 1, 60, 72, 1)),
    Problem("batched matmul", (1, 1, 1, 6, 100, 48, 5)),
    Problem("fully connected", (1, 1, 1, 1, 256, 500, 1)),
)
MESHES = (2, 4, 8, 16, 32, 64)
MOST_TILES = 1_500
EACH = 2


def sums_of(nests: LoopNest, strides: Tensor) -> Footprint:
    return footprint(analyse(nests, strides, gemmini()), gemmini())


def features(
    nests: LoopNest, problem: Problem, mesh: Tensor | int, machine: Accelerator | None = None
) -> Tensor:
    """Return the columns ``[..., column]`` of mappings of one layer."""
    bounds, strides = (
        torch.tensor(values, dtype=torch.float64) for values in (problem.bounds, problem.strides)
    )
    context = COMMANDS.context(nests, bounds, strides, gemmini())
    hardware = {"pe_dim": mesh, **{f"{name}_kb": float(kb) for name, kb in HALVES.items()}}
    return COMMANDS.columns(sums_of(nests, strides), context, machine or gemmini(), hardware)


def tiled(tile: Sequence[float] | Tensor, problem: Problem) -> LoopNest:
    """Return a mapping of that tile, its loops in the registers, the others in DRAM."""
    size = torch.as_tensor(tile, dtype=torch.float64)
    temporal = torch.ones(4, 7, dtype=torch.float64)
    bounds = torch.tensor(problem.bounds, dtype=torch.float64)
    temporal = torch.stack([size, temporal[1], temporal[2], bounds / size])
    return LoopNest(
        temporal, torch.ones(4, 2, 7, dtype=torch.float64), torch.arange(7).expand(4, 7)
    )


def program(nest: LoopNest, problem: Problem, mesh: int) -> Program:
    """Return what the library is called with, read from the factors one by one."""
    tile = {}
    for place, dim in enumerate(DIMS):
        inside = [factors[place] for factors in nest.temporal[:-1].tolist()]
        inside += [axis[place] for level in nest.spatial.tolist() for axis in level]
        tile[dim] = round(math.prod(inside))
    bounds = dict(zip(DIMS, problem.bounds, strict=True))
    return published(bounds, tile, problem.strides, mesh)


def tiles_of(nest: LoopNest) -> float:
    return float(nest.temporal[-1].prod())


def assert_simulated(
    nest: LoopNest, problem: Problem, mesh: int, pe_dim: int | None = None
) -> None:
    run = program(nest, problem, mesh)
    found = dict(zip(NAMES, features(nest, problem, pe_dim or mesh).exp().tolist(), strict=True))
    counted = simulated(run)
    expected = {f"count.{name}": max(1e-6, counted[name]) for name in UNITS}
    for memory, kb in HALVES.items():
        expected[f"occupancy.{memory}"] = counted[f"{memory}_bytes"] / (kb * 1024)
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-9), run


@pytest.mark.parametrize("mesh", MESHES)
@pytest.mark.parametrize("place", range(len(LAYERS)), ids=[problem.name for problem in LAYERS])
def test_counts_are_those_of_a_simulation(place: int, mesh: int) -> None:
    problem = LAYERS[place]
    sampler = Sampler(gemmini(), problem, dict.fromkeys(gemmini().parameters, float(mesh)))
    drawn = sampler.draw(200, generator(place * 100 + mesh))
    chosen = [row for row in range(200) if tiles_of(drawn[row]) <= MOST_TILES][:EACH]
    assert len(chosen) == EACH
    for row in chosen:
        assert_simulated(drawn[row], problem, mesh)


@pytest.mark.parametrize("problem", LAYERS, ids=[problem.name for problem in LAYERS])
def test_the_whole_layer_is_one_tile(problem: Problem) -> None:
    assert_simulated(tiled(problem.bounds, problem), problem, 16)


def test_tiles_in_the_padding_wrap_around_16_bits() -> None:
    """The first kernel column lies left of the image for the first output, and the last right."""
    problem = Problem("padded", (5, 1, 4, 1, 16, 16, 1))
    nest = tiled((1, 1, 1, 1, 16, 16, 1), problem)
    row = dict(zip(NAMES, features(nest, problem, 16).exp().tolist(), strict=True))
    # Inputs of 20 pairs of output and kernel column: 14 exist, 2 + 1 are beyond either end, where
    # sizes are -1, 0, 0: one pair an end wraps around. Of four pixels of 16 bytes, which begin half
    # a beat late, one takes two requests.
    assert row["count.input_requests"] == pytest.approx(1.25 * (14 + 2 * (2**16 - 1)))
    assert_simulated(nest, problem, 16)


def test_an_array_is_the_next_power_of_two() -> None:
    problem = LAYERS[1]
    for pe_dim, mesh in ((1, 2), (3, 4), (5, 8), (16, 16), (17, 32)):
        assert_simulated(tiled((3, 1, 6, 2, 5, 12, 1), problem), problem, mesh, pe_dim)


@pytest.mark.parametrize(("rows", "pitch", "tile"), [(64, 48, 12), (64, 96, 96), (128, 200, 40)])
@pytest.mark.parametrize(("piece", "start"), [(16, 0), (64, 0), (64, 8)])
def test_requests_are_the_mean_over_a_tensors_addresses(
    rows: int, pitch: int, tile: int, piece: int, start: int
) -> None:
    """Every run of a tensor of as many rows as a line has bytes, where it lies in memory."""
    runs = [
        requests(start + row * pitch + begin, length, piece)
        for row in range(rows)
        for begin, length in spans(pitch, tile)
    ]
    expected = fmean(len(run) for run in runs), fmean(sum(run) / 16 for run in runs)
    assert moved(tile, pitch, piece, begin=start) == pytest.approx(expected)
    assert all(sum(run) >= tile for run in runs)


TENSORS = ("input", "weight", "store")
SMALL = Problem("small matmul", (1, 1, 256, 1, 64, 64, 1))
SMALL_TILES = ((1, 1, 16, 1, 16, 64, 1), (1, 1, 256, 1, 64, 64, 1), (1, 1, 64, 1, 64, 16, 1))


def lines(tile: Sequence[float], **machine: float) -> list[float]:
    """Return the lines of inputs, weights and outputs that a tile of the small product fetches."""
    around = replace(gemmini(), machine=machine)
    found = features(tiled(tile, SMALL), SMALL, 16, around).exp().tolist()
    row = dict(zip(NAMES, found, strict=True))
    return [row[f"miss.{name}"] for name in TENSORS]


@pytest.mark.parametrize("tile", SMALL_TILES)
def test_what_fits_in_the_cache_is_fetched_once(tile: Sequence[float]) -> None:
    """256 rows of 64 filters and channels: a few KB each."""
    assert lines(tile, warm=0) == pytest.approx([256, 64, 256], rel=0.05)


@pytest.mark.parametrize("tile", SMALL_TILES)
def test_what_a_program_before_has_touched_is_in_the_cache(tile: Sequence[float]) -> None:
    assert sum(lines(tile, warm=1)) < 1
    # 36 KB in a cache of 8: as good as none.
    assert lines(tile, warm=1, cache_kb=8) == pytest.approx(
        lines(tile, warm=0, cache_kb=8), rel=0.03
    )


@pytest.mark.parametrize("kb", [0.0, 8.0, 4096.0])
def test_lines_that_the_memorys_cache_has_not_are_counted_beside(kb: float) -> None:
    """36 KB: less than either cache but for one of 8 KB, which holds nothing; 0: there is none."""
    machine = {"warm": 0.0, "cache_kb": 4.0, "memory_cache_kb": kb}
    near = lines(SMALL_TILES[0], **machine)
    found = features(tiled(SMALL_TILES[0], SMALL), SMALL, 16, replace(gemmini(), machine=machine))
    far = [float(found[NAMES.index(f"miss.far.{name}")].exp()) for name in TENSORS]
    expected = lines(SMALL_TILES[0], warm=0.0, cache_kb=kb) if kb else [1e-3] * 3
    assert far == pytest.approx(expected)
    assert sum(near) >= sum(far)


def test_waits_for_memory_count_as_long_as_they_take_and_lines_as_they_are() -> None:
    """The latency until a line's first bytes come is not how long the bus takes to move it."""
    found = []
    for cycles in (40.0, 120.0):
        machine = {"warm": 0.0, "memory_latency": cycles}
        there = replace(gemmini(), machine=machine)
        found.append(features(tiled(SMALL_TILES[0], SMALL), SMALL, 16, there))
    near, far = found
    for name in NAMES:
        ratio = float((far - near)[NAMES.index(name)].exp())
        if name.startswith("miss.waits."):
            assert ratio == pytest.approx(3)
        elif name != "machine.memory_latency":
            assert ratio == 1


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        ({"warmth": 1.0}, r"accelerator\.machine: unknown fact 'warmth' .*nearest: warm"),
        ({"warm": 0.5}, r"machine\.warm is 0\.5; legal: 1 .* or 0"),
        ({"bias": 2.0}, r"machine\.bias is 2; legal: 1 .* or 0"),
        ({"bus_bytes": 12.0}, r"machine\.bus_bytes is 12; legal: 8, 16, 32, 64"),
        ({"cache_kb": 0.0}, r"machine\.cache_kb is 0; legal: a number > 0"),
        ({"memory_cache_kb": -1.0}, r"machine\.memory_cache_kb is -1; .*or 0 \(none\)"),
    ],
)
def test_facts_that_no_machine_has_are_refused(machine: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        COMMANDS.schema(replace(gemmini(), machine=machine))


def test_what_outgrows_the_cache_is_fetched_with_every_tile() -> None:
    """16 MB of weights, again for each of 4 tiles of rows, where rows are the outermost loop."""
    problem = Problem("large matmul", (1, 1, 256, 1, 4032, 4032, 1))
    nest = tiled((1, 1, 64, 1, 64, 64, 1), problem)
    weights = 4032 * 4032 / 64
    for inner, expected in (((2, 5, 4), 4 * weights), ((5, 4, 2), weights)):
        order = torch.tensor([0, 1, 3, 6, *inner]).expand(4, 7)
        found = features(LoopNest(nest.temporal, nest.spatial, order), problem, 16)
        assert float(found[NAMES.index("miss.weight")].exp()) == pytest.approx(expected, rel=0.1)


def relaxed(problem: Problem, seed: int) -> Tensor:
    """Return whole tiles ``[8, dim]`` inside a layer."""
    share = torch.rand(8, 7, generator=generator(seed), dtype=torch.float64)
    bounds = torch.tensor(problem.bounds, dtype=torch.float64)
    return (share * (bounds - 1)).round() + 1


def of_tiles(tiles: Tensor, problem: Problem, programs: str, mesh: int = 16) -> Tensor:
    """Return the columns of tiles ``[row, dim]`` that need not divide the layer."""
    by_them = tiles.new_full((len(tiles), 1), float(programs == PUBLISHED))
    bounds, strides = (
        torch.tensor(values, dtype=torch.float64) for values in (problem.bounds, problem.strides)
    )
    rows = len(tiles)
    order = torch.arange(7).expand(rows, 7).to(tiles.dtype)
    none = torch.zeros_like(by_them)
    tiling = Tiling(
        tiles, bounds.expand(rows, 7), strides.expand(rows, 4), order, by_them, none, none, none + 1
    )
    hardware = {"pe_dim": mesh, **{f"{name}_kb": float(kb) for name, kb in HALVES.items()}}
    unused = sums_of(tiled(problem.bounds, problem), strides)
    return COMMANDS.columns(unused, tiling.packed(), gemmini(), hardware)


@pytest.mark.parametrize("programs", PROGRAMS)
@pytest.mark.parametrize("problem", LAYERS, ids=[problem.name for problem in LAYERS])
def test_features_are_continuous_at_whole_sizes(problem: Problem, programs: str) -> None:
    tiles = relaxed(problem, 1)
    at = of_tiles(tiles, problem, programs)
    for step in (1e-8, -1e-8):
        inside = (tiles + step > 1) & (tiles + step < torch.tensor(problem.bounds))
        near = of_tiles(torch.where(inside, tiles + step, tiles), problem, programs)
        torch.testing.assert_close(near, at, rtol=0, atol=1e-5)


@pytest.mark.parametrize("programs", PROGRAMS)
@pytest.mark.parametrize("problem", LAYERS, ids=[problem.name for problem in LAYERS])
def test_gradients_are_finite(problem: Problem, programs: str) -> None:
    for shift in (0.0, 0.3):
        tiles = (relaxed(problem, 2) + shift).requires_grad_()
        found = of_tiles(tiles, problem, programs)
        (slopes,) = torch.autograd.grad(found.sum(), tiles)
        assert slopes.isfinite().all()
        flat = is_product(problem) and programs != PUBLISHED
        if problem.bounds[2] > 1 and problem.bounds[3] > 1 and not flat:
            assert (slopes[:, 2:6].abs().amax(0) > 0).all()


@pytest.mark.parametrize(
    ("programs", "sizes"), [(PUBLISHED, (47.5, 31.5, 63.5)), ("exported", (48.5, 32.5, 64.5))]
)
def test_a_product_has_slopes_where_its_tile_gains_a_block(
    programs: str, sizes: tuple[float, float, float]
) -> None:
    problem = Problem("matmul", (1, 1, 96, 1, 160, 144, 1))
    rows, channels, filters = sizes
    size = torch.tensor([[1, 1, rows, 1, channels, filters, 1]], dtype=torch.float64)
    size.requires_grad_()
    (slopes,) = torch.autograd.grad(of_tiles(size, problem, programs).sum(), size)
    assert (slopes[0, [2, 4, 5]] != 0).all()


def test_layers_of_both_kinds_together_are_those_one_by_one() -> None:
    nests, bounds, strides = [], [], []
    for place, problem in enumerate(LAYERS):
        sampler = Sampler(gemmini(), problem, dict.fromkeys(gemmini().parameters, 16.0))
        nests.append(sampler.draw(2, generator(place)))
        bounds.append(torch.tensor(problem.bounds, dtype=torch.float64).expand(2, 7))
        strides.append(torch.tensor(problem.strides, dtype=torch.float64).expand(2, 4))
    context = torch.cat(
        [
            COMMANDS.context(nest, bound, stride, gemmini())
            for nest, bound, stride in zip(nests, bounds, strides, strict=True)
        ]
    )
    sizes = torch.tensor([4.0, 16.0], dtype=torch.float64).repeat(len(LAYERS))
    hardware = {"pe_dim": sizes, "scratchpad_kb": 8 * sizes, "accumulator_kb": 2 * sizes}
    unused = sums_of(nests[0], strides[0])
    together = COMMANDS.columns(unused, context, gemmini(), hardware)
    for row in range(len(context)):
        alone = {name: values[row] for name, values in hardware.items()}
        found = COMMANDS.columns(unused, context[row], gemmini(), alone)
        torch.testing.assert_close(found, together[row], rtol=1e-12, atol=1e-12)
    nothing = {name: values[:0] for name, values in hardware.items()}
    assert COMMANDS.columns(unused, context[:0], gemmini(), nothing).shape == (0, len(NAMES))


def test_other_accelerators_are_refused() -> None:
    with pytest.raises(
        ConfigError,
        match=r"eyeriss is no Gemmini: .*legal for features=commands: accelerator=gemmini",
    ):
        Schema.of("commands", load_accelerator("eyeriss"), ["latency"])
