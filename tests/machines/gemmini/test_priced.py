"""What is priced is what is emitted: the predictor's counts against the exported C programs.

A program's call is read from its C text and executed tile by tile, by code that knows neither the
exporter nor the closed forms.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers import gemmini, generator, seeds
from tests.machines.gemmini.simulated import Axis, Program, simulated
from tilegrad.accelerator import Accelerator
from tilegrad.cost.footprint import footprint
from tilegrad.machines.gemmini.counts import UNITS
from tilegrad.machines.gemmini.generator import generator as built_for
from tilegrad.mapping import LoopNest
from tilegrad.mapping.sampling import Sampler
from tilegrad.nest import analyse
from tilegrad.predictors.features import feature_set
from tilegrad.targets.gemmini.layers import Tiled, obstacle, tiled
from tilegrad.targets.gemmini.program import program as c_program
from tilegrad.workload import Problem, load_workload, packaged_networks

COMMANDS = feature_set("commands")
NAMES = [column.name for column in COMMANDS.schema(gemmini())]
HARDWARE = {"pe_dim": 16.0, "scratchpad_kb": 128.0, "accumulator_kb": 32.0}
SMALL = {"pe_dim": 4.0, "scratchpad_kb": 16.0, "accumulator_kb": 8.0}
MOST_TILES = 60

UNUSUAL = (
    Problem("rows of several images", (1, 1, 128, 1, 48, 40, 8)),
    Problem("rows of one pixel each", (1, 1, 1, 1, 96, 1000, 16)),
    Problem("pixels that a stride parts", (1, 1, 24, 1, 32, 48, 1), (2, 2, 1, 1)),
    Problem("lone pixels under a stride", (1, 1, 1, 1, 32, 48, 6), (2, 2, 1, 1)),
    Problem("a few images", (1, 1, 7, 7, 32, 48, 3)),
    Problem("odd sizes", (1, 1, 49, 1, 197, 77, 1)),
    Problem("an even kernel", (2, 2, 12, 10, 9, 24, 1)),
    Problem("strided, dilated", (3, 3, 10, 14, 20, 24, 2), (3, 3, 2, 2)),
)
PACKAGED = {
    (layer.bounds, layer.strides): replace(layer, name=f"{network} {layer.name}")
    for network in packaged_networks()
    for layer in load_workload(network).layers
}
LARGE = "unet"
"""A network whose layers have tiles by the thousand, each executed."""
LAYERS = [
    *UNUSUAL,
    *(
        pytest.param(layer, marks=pytest.mark.exhaustive) if layer.name.startswith(LARGE) else layer
        for layer in PACKAGED.values()
    ),
]


def call_of(text: str) -> tuple[str, list[int]]:
    """Return the name and the numbers of the one call in a C program."""
    (name, arguments), *more = re.findall(r"(tiled_\w+)\((.+?)\);", text, re.DOTALL)
    assert not more
    plain = re.sub(r"/\*.*?\*/", "", arguments, flags=re.DOTALL)
    return name, [int(part) for part in plain.split(",") if part.strip().isdigit()]


def program_of(text: str, mesh: int) -> Program:
    """Return what a C program asks of the library, on an array of ``mesh``."""
    return replace(_program_of(text, mesh), biased=re.search(r"[, ]bias, ", text) is not None)


def _program_of(text: str, mesh: int) -> Program:
    name, numbers = call_of(text)
    ones = dict.fromkeys("RSPQCKN", 1)
    if name == "tiled_matmul":
        rows, filters, channels, *_, i, j, k, _ = numbers
        bounds = {**ones, "P": rows, "K": filters, "C": channels}
        pixel = Axis(1, 1, 0, 1, 1)
        return Program(bounds, {}, mesh, (i, j, k), (pixel, pixel), current=True)
    images, high, wide, channels, filters, rows, columns, *numbers = numbers
    stride, _, dilation, padding, kernel, _, _, _, *numbers = numbers
    tile = dict(zip("NQPKSRC", numbers[:7], strict=True))
    bounds = {"R": kernel, "S": kernel, "P": columns, "Q": rows}
    bounds |= {"C": channels, "K": filters, "N": images}
    axes = (
        Axis(columns, wide, padding, stride, dilation),
        Axis(rows, high, padding, stride, dilation),
    )
    return Program(bounds, tile, mesh, None, axes, current=True)


def stated(**facts: float) -> Accelerator:
    """Return a Gemmini with other facts of its machine."""
    return replace(gemmini(), machine={**gemmini().machine, **facts})


def priced(
    nest: LoopNest, problem: Problem, hardware: dict[str, float], machine: Accelerator | None = None
) -> dict[str, float]:
    """Return the predictor's columns of a mapping ``[level, dim]`` by name."""
    bounds, strides = (
        torch.tensor(values, dtype=torch.float64) for values in (problem.bounds, problem.strides)
    )
    sums = footprint(analyse(nest, strides, gemmini()), gemmini())
    context = COMMANDS.context(nest, bounds, strides, gemmini())
    columns = COMMANDS.columns(sums, context, machine or gemmini(), dict(hardware))
    kind, *logs = columns.tolist()
    return {"matmul": kind, **dict(zip(NAMES[1:], torch.tensor(logs).exp().tolist(), strict=True))}


def emitted(
    layer: Tiled, found: LoopNest, hardware: dict[str, float], machine: Accelerator | None = None
) -> str:
    return c_program("000_layer", layer, found, machine or gemmini(), hardware, "network")


def assert_priced(
    layer: Tiled,
    found: LoopNest,
    hardware: dict[str, float],
    machine: Accelerator | None = None,
    bus: int = 16,
) -> None:
    """Compare the price of what the program says that it runs with what its call does."""
    text = emitted(layer, found, hardware, machine)
    program = replace(program_of(text, layer.generator.dim), bus=bus)
    prices = priced(layer.nest, layer.problem, hardware, machine)
    assert prices["matmul"] == (program.held is not None)
    counted = simulated(program)
    expected = {f"count.{name}": max(1e-6, counted[name]) for name in UNITS}
    for memory in ("scratchpad", "accumulator"):
        share = counted[f"{memory}_bytes"] / (hardware[f"{memory}_kb"] * 1024)
        expected[f"occupancy.{memory}"] = share
    assert {name: prices[name] for name in expected} == pytest.approx(expected, rel=1e-5), program


def drawn(problem: Problem, hardware: dict[str, float], seed: int) -> LoopNest:
    """Return a random mapping of few enough tiles to execute one after another."""
    nests = Sampler(gemmini(), problem, hardware).draw(100, generator(seed))
    tiles = nests.temporal[:, -1].prod(-1)
    few = [row for row in range(len(tiles)) if tiles[row] <= MOST_TILES]
    return nests[few[0] if few else int(tiles.argmin())]


@pytest.mark.parametrize("problem", LAYERS, ids=lambda problem: problem.name)
def test_every_packaged_layer_is_priced_as_it_is_emitted(problem: Problem) -> None:
    assert obstacle(problem) is None
    found = drawn(problem, HARDWARE, 1)
    layer = tiled(problem, found, built_for(HARDWARE))
    assert_priced(layer, found, HARDWARE)
    occupied = priced(found, problem, HARDWARE)
    if max(occupied["occupancy.scratchpad"], occupied["occupancy.accumulator"]) <= 1:
        # What fits by the predictor's account is emitted as it was found.
        assert torch.equal(layer.nest.temporal, found.temporal)


@pytest.mark.parametrize("hardware", [HARDWARE, SMALL], ids=["16 x 16", "4 x 4"])
@pytest.mark.parametrize(("bias", "bus"), [(1, 16), (0, 8), (1, 32)])
@pytest.mark.parametrize("problem", UNUSUAL, ids=lambda problem: problem.name)
def test_biases_and_other_buses_are_priced_as_they_are_emitted(
    problem: Problem, bias: int, bus: int, hardware: dict[str, float]
) -> None:
    found = drawn(problem, hardware, 2)
    machine = stated(bias=bias, bus_bytes=bus)
    assert (
        "bias[" in emitted(tiled(problem, found, built_for(hardware)), found, hardware, machine)
    ) == bias
    assert_priced(tiled(problem, found, built_for(hardware)), found, hardware, machine, bus)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """A layer that Gemmini's calls can run."""
    sizes = st.integers(1, 24)
    kernel = draw(st.sampled_from([1, 1, 2, 3, 5]))
    stride, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    p, q = draw(sizes), draw(st.one_of(st.just(1), sizes))
    c, k, n = draw(st.integers(1, 80)), draw(st.integers(1, 80)), draw(st.integers(1, 5))
    return Problem("layer", (kernel, kernel, p, q, c, k, n), (stride, stride, dilation, dilation))


@settings(max_examples=30)
@given(problem=problems(), seed=seeds, hardware=st.sampled_from([HARDWARE, SMALL]))
def test_any_layer_is_priced_as_it_is_emitted(
    problem: Problem, seed: int, hardware: dict[str, float]
) -> None:
    found = drawn(problem, hardware, seed)
    assert_priced(tiled(problem, found, built_for(hardware)), found, hardware)
