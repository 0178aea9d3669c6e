"""Comparisons that a budget cut short say so wherever a figure of them stands."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from rich.console import Console

from tests.report.conftest import Record
from tilegrad.record import Result, parse_result
from tilegrad.report import Comparison, Entry, print_whole, terminal_table, write_comparison
from tilegrad.report.comparison_bars import comparison_bars
from tilegrad.report.comparison_notes import notes
from tilegrad.report.comparison_tables import gaps, relative_rows, shared

LONG = "a_design_whose_name_is_much_longer_than_a_column_of_eighty_letters_would_ever_hold"


@pytest.fixture
def compared(record: Record) -> Callable[..., Comparison]:
    """Return a function that compares two designs on two networks, some searches cut off."""
    result = parse_result(record)

    def entry(design: str, workload: str, cut: bool) -> Entry:
        status = "budget" if cut else "complete"
        found: Result = result.model_copy(update={"workload": workload, "status": status})
        return Entry(design, found)

    def compare(*cut: tuple[str, str], other: str = "other") -> Comparison:
        pairs = [(d, w) for w in ("bert", "unet") for d in ("reference", other)]
        return Comparison(tuple(entry(*pair, pair in cut) for pair in pairs), "reference")

    return compare


def printed(comparison: Comparison, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_whole(console, terminal_table(comparison))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def shown(figure: Figure) -> str:
    texts = [text.get_text() for text in figure.axes[0].texts]
    names = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    supxlabel = figure.get_supxlabel()
    return "\n".join([*texts, *names, supxlabel])


def cells(comparison: Comparison, design: str) -> list[bool]:
    row = next(row for row in relative_rows(comparison) if row[0] == design)
    return ["†" in cell for cell in row[1:]]


def test_ratios_within_a_decade_stand_at_plain_numbers(compared: Callable[..., Comparison]) -> None:
    comparison = compared()
    worse = [
        replace(each, result=each.result.model_copy(update={"edp": 1.8 * each.result.edp}))
        if each.design == "other"
        else each
        for each in comparison.entries
    ]
    figure = comparison_bars(Comparison(tuple(worse), "reference"))
    figure.draw_without_rendering()
    marks = [text.get_text() for text in figure.axes[0].get_yticklabels(which="both")]
    named = [text for text in marks if text]
    assert sum(1 < float(text) < 2 for text in named) > 1


def test_searches_that_ended_have_no_marks(
    compared: Callable[..., Comparison], tmp_path: Path
) -> None:
    comparison = compared()
    write_comparison(tmp_path, comparison)
    page = (tmp_path / "comparison.md").read_text(encoding="utf-8")
    for text in (printed(comparison), shown(comparison_bars(comparison)), page):
        assert "†" not in text
        assert "cut off" not in text


def test_a_cut_off_search_is_marked_in_table_plot_and_page(
    compared: Callable[..., Comparison], tmp_path: Path
) -> None:
    comparison = compared(("other", "unet"))
    assert cells(comparison, "reference") == [False] * 5
    # The mean and the sums hold the network on which it was cut off.
    assert cells(comparison, "other") == [False, True, True, True, True]
    write_comparison(tmp_path, comparison)
    page = (tmp_path / "comparison.md").read_text(encoding="utf-8")
    for text in (printed(comparison), shown(comparison_bars(comparison)), page):
        assert "†" in text
        sentence = " ".join(text.split())
        assert "upper bound" in sentence
        assert "other on unet." in sentence
        assert "The reference" not in sentence
        assert "Every search" not in sentence


def test_a_cut_off_reference_marks_every_ratio_to_it(
    compared: Callable[..., Comparison],
) -> None:
    comparison = compared(("reference", "bert"))
    assert cells(comparison, "other") == [True, False, True, True, True]
    assert any("ratios to it may be too small" in note for note in notes(comparison))


def test_a_comparison_of_cut_off_searches_alone_says_so(
    compared: Callable[..., Comparison],
) -> None:
    every = [(design, each) for design in ("reference", "other") for each in ("bert", "unet")]
    assert any("Every search was cut off" in note for note in notes(compared(*every)))
    assert not any("Every search" in note for note in notes(compared(*every[1:])))


@pytest.mark.parametrize("width", [20, 80, 300])
def test_no_name_is_cut(compared: Callable[..., Comparison], width: int) -> None:
    comparison = compared(other=LONG)
    assert LONG in printed(comparison, width)
    assert "…" not in printed(comparison, width)
    figure = comparison_bars(comparison)
    figure.draw_without_rendering()
    (legend,) = figure.legends
    for text in legend.get_texts():
        box = text.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= figure.bbox.x1


def test_what_is_proven_has_a_column(record: Record) -> None:
    def entry(design: str, **proven: float) -> Entry:
        return Entry(design, parse_result(record | proven))

    bare = Comparison((entry("one"), entry("other")), "one")
    assert gaps(bare) == []
    assert "gap" not in printed(bare)
    known = Comparison((entry("one", gap=0.00101, bound=1.0), entry("other")), "one")
    header, *rows = gaps(known)
    assert header[0] == "above the optimum at most"
    # Rounded up.
    assert rows == [["one", "0.11 %"], ["other", "-"]]
    assert "0.11 %" in printed(known, width=200)


def test_networks_that_share_hardware_have_rows_of_their_own(
    record: Record, tmp_path: Path
) -> None:
    def entry(design: str, times: float) -> Entry:
        half = {"weight": 1, "energy_uj": 1e3, "cycles": 1e6, "edp": 1e9 * times}
        networks = [
            {"name": "one", "layers": 1, "price": 1.25, **half},
            {"name": "other", "layers": len(record["layers"]) - 1, **half},
        ]
        return Entry(design, parse_result(record | {"rule": "sum", "networks": networks}))

    comparison = Comparison((entry("a", 1), entry("b", 3)), "a")
    header, first, second = shared(comparison)
    assert [text.split(" in ")[0] for text in header[1:]] == ["one", "other"]
    assert first == ["a", "1.000e9 (1.2500x)", "1.000e9"]
    assert second == ["b", "3.000e9 (1.2500x)", "3.000e9"]
    write_comparison(tmp_path, comparison)
    assert "3.000e9 (1.2500x)" in (tmp_path / "comparison.md").read_text(encoding="utf-8")
    with (tmp_path / "comparison.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["workload"].endswith(": one")]
    assert [(row["design"], float(row["edp_relative"])) for row in rows] == [("a", 1), ("b", 3)]
    assert shared(Comparison((Entry("a", parse_result(record)),), "a")) == []
