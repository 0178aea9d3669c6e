"""What the page says of a design, against numbers worked out here from the loop nests."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tilegrad.accelerator import Accelerator, Level
from tilegrad.mapping import parse_shorthand
from tilegrad.record import parse_result
from tilegrad.report import write_report
from tilegrad.report.figures import layer_figures, roof
from tilegrad.report.page_tables import level_rows, shape_text
from tilegrad.report.roofline import roofline
from tilegrad.report.speed import speed_rows, tops_per_watt
from tilegrad.shape import packaged_shape
from tilegrad.workload import Problem, Workload

pytestmark = pytest.mark.usefixtures("blank")

Record = dict[str, Any]
MAPPING = "L3[WIO] C4 P8 - L2[WI] N1 K8X - L1[O] P2 C2 C8X - L0[W] N1"
"""Of a product of 16 x 64 by 64 x 8, outer loops first: C and P in DRAM."""


@pytest.fixture
def product(record_of: Callable[[Workload], Record]) -> Record:
    """Return the record of one matrix product with a mapping whose tiles are easy to count."""
    record = record_of(Workload("one", (Problem("mm", (1, 1, 16, 1, 64, 8, 1), count=3),)))
    record["layers"][0] |= {"mapping": MAPPING, "cycles": 128}
    return record | {"hardware": {"pe_dim": 16, "scratchpad_kb": 1, "accumulator_kb": 2}}


def test_buffers_hold_the_tiles(product: Record, gemmini: Accelerator) -> None:
    result = parse_result(product)
    (figures,) = layer_figures(result, [parse_shorthand(MAPPING, gemmini)], gemmini)
    # A tile of the scratchpad has 16 C x 8 K weights and 2 P x 16 C inputs of a byte each.
    assert figures.occupancy["Scratchpad"] == {"Weights": 128 / 1024, "Inputs": 32 / 1024}
    # The accumulator's 2 KB of 4 byte words lie in 16 columns; each in use holds 2 P.
    assert figures.occupancy["Accumulator"] == {"Outputs": 2 / 32}
    assert figures.occupancy["Registers"] == {"Weights": 1.0}
    assert set(figures.occupancy) == {"Scratchpad", "Accumulator", "Registers"}


def test_layers_lie_below_the_roof(record: Record, gemmini: Accelerator) -> None:
    result = parse_result(record)
    nests = [parse_shorthand(layer.mapping, gemmini) for layer in result.layers]
    top = roof(gemmini, result.hardware)
    assert (top.macs_per_cycle, top.bytes_per_cycle) == (256, 8)
    assert top.ridge == 32
    figures = layer_figures(result, nests, gemmini)
    for each in figures:
        limit = min(top.macs_per_cycle, top.bytes_per_cycle * each.intensity)
        assert each.macs_per_cycle <= limit * (1 + 1e-9)
        at_memory = each.layer.bottleneck == "DRAM"
        assert not at_memory or each.macs_per_cycle == pytest.approx(limit, rel=1e-3)
    axes = roofline(figures, top, result.parts).axes[0]
    assert axes.get_xlabel().endswith("[MAC per byte of the outermost memory]")
    assert axes.get_ylabel() == "performance [MAC/cycle]"
    assert sum(len(points.get_offsets()) for points in axes.collections) == len(figures)


def test_a_clock_turns_cycles_into_time(product: Record) -> None:
    totals = {"cycles": 2_000_000, "energy_uj": 500.0}
    result = parse_result(product | totals | {"clock_mhz": 1000})
    rows = speed_rows(result)
    assert rows["inference"] == "2 ms at 1000 MHz"
    assert rows["throughput"].startswith("500 inferences/s")
    assert rows["power"].startswith("0.25 W")
    assert tops_per_watt(result) == pytest.approx(2 * 3 * 16 * 64 * 8 / 500e-6 / 1e12)
    without = parse_result(product | totals)
    assert list(speed_rows(without)) == ["efficiency"]


def test_what_stands_beside_is_relative_and_says_how_it_was_made(
    record_of: Callable[[Workload], Record], leave_run: Callable[..., Path], gemmini: Accelerator
) -> None:
    workload = Workload("one", (Problem("mm", (1, 1, 16, 1, 64, 8, 1)),))
    record = record_of(workload)
    figures = {name: 2 * record[name] for name in ("edp", "energy_uj", "area_mm2")}
    beside = {**figures, "cycles": 30 * record["cycles"], "hardware": {"pe_dim": 7}}
    record["baselines"] = [{**beside, "name": "other", "made": "Made <so>"}]
    record["gap"] = 0.012

    def words() -> str:
        directory = leave_run(record)
        write_report(directory, gemmini, workload)
        text = (directory / "report.html").read_text(encoding="utf-8")
        root = ElementTree.fromstring(text.split("\n", 1)[1])
        return " ".join(" ".join(root.itertext()).split())

    shown = words()
    assert "other pe_dim 7" in shown
    assert "2.000x 2.000x 30x 2.000x" in shown
    assert "other: Made <so>." in shown
    assert "the edp is at most 1.2 % above the best possible" in shown
    del record["gap"], record["baselines"]
    shown = words()
    assert "Nothing is proven" in shown
    assert "No sensitivity: it is made" in shown


@pytest.mark.parametrize(
    ("bounds", "strides", "text"),
    [
        ((3, 3, 56, 56, 64, 128, 1), (2, 2, 1, 1), "3x3/2, 64 to 128 channels, 56x56"),
        (
            (1, 3, 8, 4, 2, 5, 7),
            (2, 1, 2, 1),
            "batch 7, 1x3/2x1, dilated 2x1, 2 to 5 channels, 8x4",
        ),
        ((1, 1, 128, 1, 768, 64, 1), (1, 1, 1, 1), "128 x 768 by 768 x 64"),
        ((1, 1, 1, 1, 2048, 1000, 1), (1, 1, 1, 1), "2048 to 1000"),
    ],
)
def test_shapes_are_written_as_people_do(
    bounds: tuple[int, ...], strides: tuple[int, ...], text: str
) -> None:
    assert shape_text(Problem("layer", bounds, strides)) == text


@pytest.mark.parametrize(
    ("shape", "sizes", "text"),
    [
        (
            "conv",
            {"R": 3, "S": 3, "P": 28, "Q": 28, "C": 4, "K": 8, "G": 32, "Wstride": 2, "Hstride": 2},
            "32 groups, 3x3/2, 4 to 8 channels, 28x28",
        ),
        ("matmul", {"P": 16, "C": 8, "K": 4}, "matmul: P 16, C 8, K 4"),
        (
            "conv3d",
            {"T": 3, "R": 1, "S": 1, "D": 8, "P": 4, "Q": 4, "C": 2, "K": 5, "Dstride": 2},
            "conv3d: T 3, R 1, S 1, D 8, P 4, Q 4, C 2, K 5, N 1, Dstride 2",
        ),
    ],
)
def test_other_shapes_are_told_by_their_dims(shape: str, sizes: dict[str, int], text: str) -> None:
    problem = Problem.from_fields("layer", sizes, shape=packaged_shape(shape))
    assert shape_text(problem) == text


def test_the_page_says_what_decides(
    record: Record, leave_run: Callable[..., Path], gemmini: Accelerator, resnet50: Workload
) -> None:
    record |= {"clock_mhz": 1000, "at_cap": ["pe_dim"], "warnings": ["mind <this>"]}
    record |= {"status": "budget"}
    directory = leave_run(record)
    write_report(directory, gemmini, resnet50)
    text = (directory / "report.html").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text.split("\n", 1)[1])
    words = " ".join(" ".join(root.itertext()).split())
    for said in (
        "16 (at its cap)",
        "This search was stopped by its budget: a longer search may find better.",
        "mind <this>",
        "7x7/2, 3 to 64 channels, 112x112",
        "ms at 1000 MHz",
        "TOPS/W",
        "Accumulator",
    ):
        assert said in words
    assert all(len(image.get("alt", "")) > 20 for image in root.iter("img"))
    headings = [int(each.tag[1]) for each in root.iter() if each.tag in ("h1", "h2", "h3")]
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    ids = {each.get("id") for each in root.iter("section")}
    assert {each.get("href", "")[1:] for each in root.iter("a")} <= ids


def test_meshes_that_spread_groups_say_so(gemmini: Accelerator) -> None:
    def spreading(level: Level) -> Level:
        fanout = {axis: replace(each, groups=True) for axis, each in level.fanout.items()}
        return replace(level, fanout=fanout)

    sizes = gemmini.defaults
    grouped = replace(gemmini, levels=tuple(map(spreading, gemmini.levels)))
    assert [row[-1] for row in level_rows(gemmini, sizes)[2:4]] == [
        "X: K (up to 16)",
        "X: C (up to 16)",
    ]
    assert [row[-1] for row in level_rows(grouped, sizes)[2:4]] == [
        "X: K, G (up to 16)",
        "X: C, G (up to 16)",
    ]
