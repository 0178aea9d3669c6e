"""A comparison's files: CSV, Markdown and the picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from tilegrad.files import make_directory, write_bytes, write_text
from tilegrad.report.by_seed import against, each_seed, over_floor
from tilegrad.report.comparison import Comparison
from tilegrad.report.comparison_bars import comparison_bars
from tilegrad.report.comparison_notes import notes, reasons, unfit
from tilegrad.report.comparison_tables import gaps, parts, relative_rows, shared
from tilegrad.report.curves import (
    AXES,
    curves,
    curves_csv,
    curves_table,
    floor_name,
    floors,
    without_curve,
)
from tilegrad.report.curves_figure import curves_figure
from tilegrad.report.searched import NONE_FITS, Entry, Unfit
from tilegrad.report.seeds import geometric_mean
from tilegrad.report.theme import png_bytes

_COLUMNS = (
    "workload", "design", "edp_uj_cycles", "edp_relative", "lowest", "highest", "energy_uj",
    "cycles", "hardware", "status", "gap", "seed",
)  # fmt: skip


def write_comparison(directory: Path, comparison: Comparison) -> None:
    """Write ``comparison.csv``, ``comparison.md`` and ``comparison.png``."""
    make_directory("dir", directory)
    write_text(directory / "comparison.csv", _csv(comparison))
    write_text(directory / "comparison.md", _markdown(comparison))
    write_bytes(directory / "comparison.png", png_bytes(comparison_bars(comparison)))


def write_curves(directory: Path, comparison: Comparison) -> None:
    """Write ``curves.csv``, ``.md`` and ``.png``, and ``seeds.md``; every entry has its history."""
    found = [curve for axis in AXES for curve in curves(comparison, axis)]
    write_text(directory / "curves.csv", curves_csv(found))
    told, missing = _sentences(floors(comparison)), [*without_curve(comparison)]
    table = _lines(curves_table(comparison, found))
    write_text(directory / "curves.md", f"{table}{_sentences(missing)}{told}")
    tables = (over_floor(comparison), against(comparison), each_seed(comparison))
    ends = "\n".join(map(_lines, tables)) + _sentences(unfit(comparison))
    write_text(directory / "seeds.md", f"{ends}{told}")
    figure = curves_figure(found, floor_name(comparison), missing)
    write_bytes(directory / "curves.png", png_bytes(figure))


def _csv(comparison: Comparison) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    for each in comparison.searches:
        rows = _without_design(each) if isinstance(each, Unfit) else _rows(comparison, each)
        table.writerows(rows)
    return text.getvalue()


def _without_design(search: Unfit) -> list[list[object]]:
    """Return the row of a search without a design that fits: it has no figures."""
    figures = [""] * (len(_COLUMNS) - 5)
    return [[search.workload, search.design, *figures, NONE_FITS, "", search.seed]]


def _rows(comparison: Comparison, entry: Entry) -> Iterator[list[object]]:
    """Yield the row of a search, and one of each of several networks."""
    found = entry.result
    hardware = " ".join(f"{name}={value:g}" for name, value in found.hardware.items())
    reference = geometric_mean(comparison.edps(comparison.reference, found.workload))
    relative = entry.edp / reference
    ends = comparison.interval(entry.design, found.workload) or ("", "")
    gap = ["" if found.gap is None else repr(found.gap)]
    values = (entry.edp, relative, *ends, found.energy_uj, entry.cycles)
    figures = [repr(value) if value != "" else "" for value in values]
    yield [found.workload, entry.design, *figures, hardware, found.status, *gap, found.seed]
    for each in found.networks:
        other = comparison.network(comparison.reference, found.workload, each.name)
        assert other is not None
        values = (each.edp, each.edp / other.edp, "", "", each.energy_uj, each.cycles)
        figures = [repr(value) if value != "" else "" for value in values]
        name = f"{found.workload}: {each.name}"
        yield [name, entry.design, *figures, hardware, found.status, "", found.seed]


def _markdown(comparison: Comparison) -> str:
    told = _sentences([*notes(comparison), *reasons(comparison)])
    further = [table for table in (shared(comparison), gaps(comparison)) if table]
    ends = "".join(f"\n{_lines(table)}" for table in further)
    return f"{_lines(relative_rows(comparison))}{told}\n{_lines(parts(comparison))}{ends}"


def _sentences(told: Iterable[str]) -> str:
    return "".join(f"\n{sentence}\n" for sentence in told)


def _lines(table: list[list[str]]) -> str:
    header, *rows = table
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
