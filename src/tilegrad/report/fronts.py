"""The files of fronts over a swept parameter: one table, one picture, one page."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from rich.table import Table

from tilegrad.files import make_directory, write_bytes, write_text
from tilegrad.front.front import WORST, Found
from tilegrad.front.over import Fronts
from tilegrad.report.engineering import scientific, typeset
from tilegrad.report.front import csv_rows, title
from tilegrad.report.front_picture import Curve, front_picture, svg
from tilegrad.report.page import environment
from tilegrad.report.theme import png_bytes


def write_fronts(fronts: Fronts, directory: Path) -> None:
    """Write ``fronts.csv``, ``fronts.png`` and ``fronts.html``."""
    make_directory("dir", directory)
    write_text(directory / "fronts.csv", _csv(fronts))
    curves = _curves(fronts)
    picture = front_picture(_title(fronts), curves)
    write_bytes(directory / "fronts.png", png_bytes(picture))
    headings, rows = _rows(fronts)
    page = (
        environment()
        .get_template("front.html")
        .render(
            title=_title(fronts),
            svg=svg(picture, dict(pair for curve in curves for pair in curve.links.items())),
            headings=headings,
            rows=rows,
            links=[f"{_place(fronts, at)}/front.html" for at in range(len(fronts.fronts))],
            numbers=headings[1:-1],
            notes=[_note()],
        )
    )
    write_text(directory / "fronts.html", page)


def fronts_table(fronts: Fronts) -> Table:
    """Return a row for each value."""
    table = Table(title=_title(fronts), caption=_note())
    headings, rows = _rows(fronts)
    for heading in headings:
        table.add_column(heading.replace("[", r"\["), justify="right")
    for row in rows:
        table.add_row(*row)
    return table


def _title(fronts: Fronts) -> str:
    return f"{title(fronts.fronts[0])}, over {fronts.over.name}"


def _note() -> str:
    return f"Least of each figure; hypervolume up to {WORST} times the worst of all, in decades."


def _rows(fronts: Fronts) -> tuple[list[str], list[list[str]]]:
    figures = fronts.fronts[0].figures
    headings = [
        fronts.over.name, *(typeset(figure.text) for figure in figures), "designs", "hypervolume",
        "files",
    ]  # fmt: skip
    rows = []
    for at, (front, volume) in enumerate(zip(fronts.fronts, fronts.hypervolumes(), strict=True)):
        least = [scientific(min(column)) for column in zip(*front.values, strict=True)]
        told = fronts.over.told(fronts.over.values[at])
        rows.append([told, *least, str(len(front.on)), f"{volume:.4f}", _place(fronts, at)])
    return headings, rows


def _place(fronts: Fronts, at: int) -> str:
    return fronts.over.place(fronts.over.values[at])


def _curves(fronts: Fronts) -> list[Curve]:
    def curve(at: int) -> Curve:
        place = _place(fronts, at)

        def link(found: Found) -> str:
            return f"{place}/{found.place}/report.html"

        label = f"{fronts.over.name} {fronts.over.told(fronts.over.values[at])}"
        return Curve(fronts.fronts[at], label, link)

    return [curve(at) for at in range(len(fronts.fronts))]


def _csv(fronts: Fronts) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    for at, front in enumerate(fronts.fronts):
        heading, *rows = csv_rows(front)
        if at == 0:
            table.writerow([fronts.over.name, *heading])
        for row in rows:
            table.writerow([fronts.over.values[at], *row[:-1], f"{_place(fronts, at)}/{row[-1]}"])
    return text.getvalue()
