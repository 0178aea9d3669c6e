"""Curves of several seeds: what they read, their means and intervals, their floor."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from statistics import fmean, stdev

import pytest

from tests.report.conftest import Record
from tilegrad.record import parse_result
from tilegrad.report import Comparison, Entry, History, write_comparison, write_curves
from tilegrad.report.by_seed import against, each_seed, over_floor
from tilegrad.report.comparison import GEOMEAN
from tilegrad.report.curves import AXES, SAMPLES, SECONDS, curves, curves_csv, floor, floor_name
from tilegrad.report.curves_figure import curves_figure
from tilegrad.report.seeds import geometric_mean, interval

STUDENT_4 = 2.7764451051977987
"""Of a level of 95 % and four degrees of freedom, from a table."""


def entries(record: Record, design: str, edps: dict[str, list[list[float]]]) -> list[Entry]:
    """Return a run for each network and seed, whose EDPs come after 1, 10, 100, ... samples."""
    found = []
    for workload, seeds in edps.items():
        for seed, curve in enumerate(seeds):
            given = record | {"workload": workload, "seed": seed, "edp": curve[-1], "gap": None}
            samples = tuple(10.0**place for place in range(len(curve)))
            seconds = tuple(sample / 50 for sample in samples)
            history = History(samples, seconds, tuple(curve))
            found.append(Entry(design, parse_result(given), history))
    return found


@pytest.fixture
def comparison(record: Record) -> Comparison:
    ours = {"bert": [[8.0, 4.0, 2.0], [9.0, 3.0, 1.0]], "unet": [[80.0, 40.0], [90.0, 30.0]]}
    theirs = {"bert": [[16.0, 16.0, 8.0], [8.0, 8.0, 2.0]], "unet": [[120.0], [240.0]]}
    both = [*entries(record, "ours", ours), *entries(record, "theirs", theirs)]
    return Comparison(tuple(both), "ours")


def test_an_interval_is_students_of_the_logs() -> None:
    values = [1.0, 2.0, 4.0, 3.0, 2.5]
    logs = [math.log(each) for each in values]
    width = STUDENT_4 * stdev(logs) / math.sqrt(5)
    middle = fmean(logs)
    low, high = interval(values)
    assert (low, high) == pytest.approx((math.exp(middle - width), math.exp(middle + width)))
    assert interval([3.0]) == (3.0, 3.0)
    # Two groups that spread alike: the error of their ratio is larger by the root of two.
    both = interval(values, values)
    assert both[1] == pytest.approx(math.exp(width * math.sqrt(2)))
    assert geometric_mean([3.0]) == 3.0


def test_relative_figures_are_of_the_geometric_mean(comparison: Comparison) -> None:
    assert comparison.relative("theirs", "bert") == pytest.approx(math.sqrt(8 * 2 / (2 * 1)))
    assert comparison.interval("ours", "bert") is None
    low, high = comparison.interval("theirs", "bert") or (0, 0)
    assert low < comparison.relative("theirs", "bert") < high
    # What is shown as a design is one that was found.
    assert comparison.entry("theirs", "bert").edp == 2.0


def test_a_curve_holds_the_best_so_far(comparison: Comparison) -> None:
    shown = {(c.design, c.network): c for c in curves(comparison, SAMPLES)}
    curve = shown["ours", "bert"]
    read = dict(zip(curve.at, curve.mean, strict=True))
    # Over the least that any run found, which is 1.
    assert read[1.0] == pytest.approx(math.sqrt(8 * 9))
    assert read[100.0] == pytest.approx(math.sqrt(2 * 1))
    before = [mean for at, mean in read.items() if at < 10]
    assert before == [pytest.approx(math.sqrt(72))] * len(before)
    mean = shown["theirs", GEOMEAN]
    ratios = [math.sqrt(8 / 1 * 120 / 30), math.sqrt(2 / 1 * 240 / 30)]
    assert mean.mean[-1] == pytest.approx(geometric_mean(ratios))
    assert mean.low[-1] < mean.mean[-1] < mean.high[-1]


def test_a_curve_begins_where_every_seed_has_a_design(record: Record) -> None:
    late = entries(record, "one", {"bert": [[4.0, 2.0]]})
    (first,) = late
    assert first.history is not None
    shifted = History((7.0, 70.0), (7.0, 70.0), first.history.edp)
    pair = (first, Entry("one", first.result.model_copy(update={"seed": 1}), shifted))
    curve = curves(Comparison(pair, "one"), SAMPLES)[0]
    assert 7 <= curve.at[0] < 10


def test_what_is_proven_is_the_floor(record: Record) -> None:
    (run,) = entries(record, "one", {"bert": [[4.0, 2.0]]})
    assert floor(Comparison((run,), "one"), "bert") == (2.0, False)
    proven = run.result.model_copy(update={"gap": 0.25})
    weaker = run.result.model_copy(update={"gap": 1.0, "edp": 3.0})
    both = tuple(Entry("one", result, run.history) for result in (proven, weaker))
    assert floor(Comparison(both, "one"), "bert") == (1.6, True)
    assert floor_name(Comparison(both, "one")) == "the proven bound"


def test_the_picture_ends_above_the_worst_end_and_names_the_floor(comparison: Comparison) -> None:
    found = [curve for axis in AXES for curve in curves(comparison, axis)]
    figure = curves_figure(found, floor_name(comparison))
    for axes in figure.axes:
        low, high = axes.get_ylim()
        assert low < 1
        # The worst end: 120 and 240 over 30. The first designs of all, 16 over 1, may lie beyond.
        assert high == pytest.approx(2 * math.sqrt(4 * 8))
    (legend,) = figure.legends
    named = [text.get_text() for text in legend.get_texts()]
    assert named == ["ours", "theirs", "the least found"]


def test_twelve_designs_have_twelve_lines(record: Record) -> None:
    runs = [
        entry
        for number in range(12)
        for entry in entries(record, f"design {number}", {"bert": [[4.0, 2.0 + number]]})
    ]
    found = [each for axis in AXES for each in curves(Comparison(tuple(runs), "design 0"), axis)]
    lines = curves_figure(found).axes[0].lines[:12]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 12
    assert len({line.get_color() for line in lines}) == 12


def test_the_files_hold_every_design(comparison: Comparison, tmp_path: Path) -> None:
    write_comparison(tmp_path, comparison)
    write_curves(tmp_path, comparison)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "curves.csv").read_text())))
    assert {row["axis"] for row in rows} == {SAMPLES, SECONDS}
    assert {row["network"] for row in rows} == {"bert", "unet", GEOMEAN}
    assert curves_csv([]).count("\n") == 1
    page = (tmp_path / "curves.md").read_text()
    assert "100 samples" in page
    assert "bert: EDP over 1 uJ*cycles, the least found." in page
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    found = list(csv.DictReader(io.StringIO((tmp_path / "comparison.csv").read_text())))
    assert [row["seed"] for row in found] == ["0", "1"] * 4


def test_seeds_stand_by_themselves_over_the_floor_and_against_each_other(
    comparison: Comparison, tmp_path: Path
) -> None:
    _, ours, theirs = over_floor(comparison)
    # Over the least that any run found: 1 on BERT, 30 on U-Net; 8 and 2, and 120 and 240.
    assert [cell.split()[0] for cell in theirs] == ["theirs", "4.000", "5.657", "4.757"]
    assert ours[1].startswith("1.414 (")
    rows = {(network, design): row for network, design, *row in each_seed(comparison)}
    edp, _, seeds, samples, seconds = rows["unet", "theirs"]
    assert (edp, seeds) == ("1.697e2", "0: 4.000, 1: 8.000")
    assert (samples, seconds) == (rows["bert", "ours"][3], rows["bert", "ours"][4])
    head, one, other = against(comparison)
    assert head[1:] == [one[0], other[0]] == ["ours", "theirs"]
    low, high = interval([4 / math.sqrt(2), math.sqrt(8 * 4 / (40 / 30))])
    assert other[1] == f"3.722 ({low:.3f} to {high:.0f})"
    assert (one[1], other[2]) == ("1", "1")
    bert = tuple(run for run in comparison.entries if run.result.workload == "bert")
    alone = Comparison(bert, "ours")
    ends = interval([8.0, 2.0], [2.0, 1.0])
    assert against(alone)[2][1].startswith(f"2.828 ({ends[0]:.3f} to ")
    write_curves(tmp_path, comparison)
    page = (tmp_path / "seeds.md").read_text()
    assert "| unet | theirs | 1.697e2 |" in page
    assert "bert: EDP over 1 uJ*cycles, the least found." in page
