"""Comparisons of which some searches found no design that fits: what is left out, and said so."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.report.conftest import Record
from tilegrad.errors import InfeasibleError
from tilegrad.record import parse_result
from tilegrad.report import Comparison, Entry, History, Unfit, write_comparison, write_curves
from tilegrad.report.by_seed import against, each_seed, over_floor
from tilegrad.report.comparison_bars import comparison_bars
from tilegrad.report.comparison_notes import notes
from tilegrad.report.comparison_tables import parts, relative_rows
from tilegrad.report.curves import AXES, SAMPLES, curves, without_curve
from tilegrad.report.curves_figure import curves_figure

NETWORKS = ("bert", "unet")

Found = dict[tuple[str, str], list[float | None]]
"""By design and network the EDP that each seed found; None where no design fits."""


def compared(record: Record, found: Found, reference: str = "ours") -> Comparison:
    searches: list[Entry | Unfit] = []
    for (design, workload), edps in found.items():
        for seed, edp in enumerate(edps):
            if edp is None:
                searches.append(Unfit(design, workload, seed, 40, 3.0, "none of 40"))
                continue
            given = {"workload": workload, "seed": seed, "edp": edp, "samples": 7, "gap": None}
            curve = History((1.0, 10.0), (1.0, 10.0), (2 * edp, edp))
            searches.append(Entry(design, parse_result(record | given), curve))
    return Comparison(tuple(searches), reference)


SOME: Found = {
    ("ours", "bert"): [1.0, 4.0, 2.0],
    ("theirs", "bert"): [8.0, None, 2.0],
    ("ours", "unet"): [1.0, 1.0, 1.0],
    ("theirs", "unet"): [3.0, 3.0, 3.0],
}
NONE: Found = {**SOME, ("theirs", "bert"): [None, None, None]}


def row(rows: list[list[str]], *start: str) -> list[str]:
    (found,) = [each for each in rows if tuple(each[: len(start)]) == start]
    return found[len(start) :]


def test_a_mean_over_fewer_seeds_is_marked(record: Record) -> None:
    comparison = compared(record, SOME)
    bert, unet, *over_all = row(relative_rows(comparison), "theirs")
    # The roots of 8 * 2 and of the cube of 1 * 4 * 2.
    assert bert.startswith("2‡, ")
    assert "‡" not in unet
    assert all("‡" in cell for cell in over_all)
    assert not any("‡" in cell for cell in row(relative_rows(comparison), "ours"))
    (note,) = notes(comparison)
    told = "no design fits by theirs on bert (seed 1; 3 were searched)"
    assert note == f"‡ is of fewer seeds than were searched: {told}."
    assert note in comparison_bars(comparison).get_supxlabel().replace("\n", " ")
    assert row(over_floor(comparison), "theirs")[0].startswith("4.000‡ (")
    edp, mean, seeds, samples, _ = row(each_seed(comparison), "bert", "theirs")
    assert (edp, samples) == ("4.000e0‡", "7 to 40")
    assert mean.startswith("4.000‡ (")
    assert seeds == "0: 8.000, 1: no design fits, 2: 2.000"
    assert "‡" in row(against(comparison), "theirs")[0]
    assert "‡" in row(against(comparison), "ours")[1]


def test_a_reference_of_fewer_seeds_marks_every_ratio_to_it(record: Record) -> None:
    comparison = compared(record, SOME, reference="theirs")
    bert, unet, mean, *_ = row(relative_rows(comparison), "ours")
    assert ("‡" in bert, "‡" in unet, "‡" in mean) == (True, False, True)


def test_one_seed_of_several_has_no_interval(record: Record) -> None:
    comparison = compared(record, {**SOME, ("theirs", "bert"): [None, None, 2.0]})
    assert comparison.interval("theirs", "bert") is None
    assert row(relative_rows(comparison), "theirs")[0] == "1‡ (2.000e0)"
    assert comparison.interval("theirs", "unet") == pytest.approx((3.0, 3.0))


def test_a_design_that_fits_with_no_seed_has_no_means(record: Record) -> None:
    comparison = compared(record, NONE)
    bert, unet, *over_all = row(relative_rows(comparison), "theirs")
    assert (bert, over_all) == ("no design fits (40 samples)", ["-", "-", "-"])
    assert unet.startswith("3, ")
    assert row(parts(comparison), "theirs")[0] == "no design fits"
    assert notes(comparison) == ["theirs on bert: no design fits, of all that were tried."]
    assert row(over_floor(comparison), "theirs") == ["no design fits", "3.000", "-"]
    assert row(each_seed(comparison), "bert", "theirs")[:2] == ["-", "no design fits"]
    assert row(against(comparison), "theirs") == ["-", "1"]
    axes = comparison_bars(comparison).axes[0]
    (bars,) = axes.containers
    assert len(bars) == 1


@pytest.mark.parametrize("found", [SOME, NONE], ids=["some", "none"])
def test_a_curve_that_lacks_a_seed_is_left_out_and_said_to_be(
    record: Record, found: Found, tmp_path: Path
) -> None:
    comparison = compared(record, found)
    shown = {(each.design, each.network): each.at for each in curves(comparison, SAMPLES)}
    empty = {pair for pair, at in shown.items() if not at}
    assert empty == {("theirs", "bert"), ("theirs", "geometric mean")}
    (told,) = without_curve(comparison)
    assert "theirs on bert" in told
    write_comparison(tmp_path, comparison)
    write_curves(tmp_path, comparison)
    assert told in (tmp_path / "curves.md").read_text(encoding="utf-8")
    with (tmp_path / "comparison.csv").open(newline="", encoding="utf-8") as file:
        rows = [each for each in csv.DictReader(file) if each["status"] == "no design fits"]
    assert [each["seed"] for each in rows] == [str(each.seed) for each in comparison.unfit]
    drawn = [curve for axis in AXES for curve in curves(comparison, axis)]
    figure = curves_figure(drawn, "the floor", [told])
    assert figure.get_supxlabel().replace("\n", " ") == told


def test_a_design_without_any_curve_is_not_in_the_legend(record: Record) -> None:
    alone: Found = {pair: edps for pair, edps in NONE.items() if pair[1] == "bert"}
    comparison = compared(record, alone)
    figure = curves_figure([c for axis in AXES for c in curves(comparison, axis)])
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["ours", "its floor"]


def test_a_reference_without_a_design_is_refused_by_name(record: Record) -> None:
    with pytest.raises(InfeasibleError, match="theirs on bert: none of 40; reference is 'theirs'"):
        compared(record, NONE, reference="theirs")
    with pytest.raises(InfeasibleError, match=r"\(none fits on every network;"):
        compared(record, {**NONE, ("ours", "unet"): [None]}, reference="theirs")
