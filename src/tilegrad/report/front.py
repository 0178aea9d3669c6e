"""A front's files: a table, a picture, and a page whose points tell of their designs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from html import escape

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from rich import markup
from rich.table import Table

from tilegrad.files import make_directory, write_bytes, write_text
from tilegrad.front.front import WORST, Found, Front
from tilegrad.report.engineering import at_most, scientific, typeset
from tilegrad.report.page import environment
from tilegrad.report.theme import MAIN_COLOUR, png_bytes, themed

OTHERS = "#BBBBBB"


def write_front(front: Front) -> None:
    """Write ``front.csv``, ``front.png`` and ``front.html``."""
    make_directory("dir", front.directory)
    write_text(front.directory / "front.csv", _csv(front))
    picture = front_picture(front)
    write_bytes(front.directory / "front.png", png_bytes(picture))
    write_text(front.directory / "front.html", _page(front, picture))


def front_table(front: Front) -> Table:
    """Return the designs on the front as a table."""
    table = Table(title=title(front))
    headings, rows = _rows(front)
    for number, heading in enumerate(headings):
        table.add_column(
            markup.escape(heading), justify="right" if number < len(front.figures) else "left"
        )
    for row in rows:
        table.add_row(*row)
    return table


def title(front: Front) -> str:
    """Return what the front is of."""
    result = front.found[0].result
    names = " against ".join(figure.text.split(" [")[0] for figure in front.figures)
    return f"{result.workload} on {result.accelerator}: {names}"


def notes(front: Front) -> list[str]:
    """Return what to know beside the table: a sentence each."""
    found = [
        f"{len(front.on)} of {len(front.found)} designs found are on the front. Hypervolume up to "
        f"{WORST} times the worst of each figure, in decades: {front.hypervolume():.4f}."
    ]
    if cut := [each.place for each in front.on if each.result.status != "complete"]:
        found.append(f"A budget cut off {len(cut)} of their searches: {', '.join(cut)}.")
    if any(each.result.gap is None for each in front.on):
        found.append("Where no gap is given nothing is proven about how good a design is.")
    for caps, reason in front.infeasible:
        told = ", ".join(f"{name} <= {cap:.4g}" for name, cap in caps.items())
        found.append(f"No design with {told}: {reason}.")
    return [*found, f"saved in {front.directory}"]


def _rows(front: Front) -> tuple[list[str], list[list[str]]]:
    headings = [typeset(figure.text) for figure in front.figures]
    rows = []
    for each in front.on:
        figures = [scientific(figure.of(each.result)) for figure in front.figures]
        rows.append([*figures, _hardware(each), _gap(each), each.place])
    return [*headings, "hardware", "gap", "files"], rows


def _hardware(found: Found) -> str:
    return " ".join(f"{name}={size:g}" for name, size in found.result.hardware.items())


def _gap(found: Found) -> str:
    return "" if found.result.gap is None else at_most(found.result.gap)


def _csv(front: Front) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    figures, caps = front.figures, front.figures[1:]
    sizes = list(front.found[0].result.hardware)
    table.writerow(
        [f.name for f in figures] + [f"cap_{f.name}" for f in caps] + sizes
        + ["on_front", "gap", "status", "place"]
    )  # fmt: skip
    kept = {each.place for each in front.on}
    for each in front.found:
        result = each.result
        table.writerow(
            [repr(figure.of(result)) for figure in figures]
            + [repr(each.caps[cap.name]) if cap.name in each.caps else "" for cap in caps]
            + [f"{result.hardware[name]:g}" for name in sizes]
            + [
                int(each.place in kept),
                "" if result.gap is None else repr(result.gap),
                result.status,
                each.place,
            ]
        )
    return text.getvalue()


@themed
def front_picture(front: Front) -> Figure:
    """Return the first figure against the second; a third one is told by colour."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    kept = {each.place for each in front.on}
    rest = [each for each in front.found if each.place not in kept]
    _points(front, rest, axes, OTHERS)
    values = [[f.of(each.result) for f in front.figures] for each in front.on]
    if len(front.figures) == 2:
        axes.step(
            [row[1] for row in values], [row[0] for row in values], where="post",
            color=MAIN_COLOUR, linewidth=1,
        )  # fmt: skip
        shown = _points(front, front.on, axes, MAIN_COLOUR)
    else:
        shown = _points(front, front.on, axes, [row[2] for row in values])
        figure.colorbar(shown, label=typeset(front.figures[2].text))
    # Where the picture is an SVG, points lead to their designs' reports.
    shown.set_urls([_page_of(each) for each in front.on])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(typeset(front.figures[1].text))
    axes.set_ylabel(typeset(front.figures[0].text))
    axes.grid(True, which="both", alpha=0.25)
    axes.set_title(title(front))
    return figure


def _points(
    front: Front, designs: Sequence[Found], axes: Axes, colour: str | list[float]
) -> PathCollection:
    """Draw designs as points."""
    first, second = front.figures[:2]
    return axes.scatter(
        [second.of(each.result) for each in designs],
        [first.of(each.result) for each in designs],
        c=colour,
        zorder=3,
    )


def _page_of(found: Found) -> str:
    return f"{found.place}/report.html"


def _page(front: Front, picture: Figure) -> str:
    """Return the page; each point of its picture tells of its design, and leads to its report."""
    headings, rows = _rows(front)
    return (
        environment()
        .get_template("front.html")
        .render(
            title=title(front),
            svg=_with_hints(front, _svg(picture)),
            headings=headings,
            rows=rows,
            numbers=headings[: len(front.figures)],
            notes=notes(front)[:-1],
        )
    )


@themed
def _svg(picture: Figure) -> str:
    text = io.StringIO()
    # So that equal fronts have equal pages.
    with rc_context({"svg.hashsalt": "front"}):
        picture.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def _with_hints(front: Front, svg: str) -> str:
    """Return the picture with what a browser shows where one hovers over a point."""
    hints = {_page_of(each): escape(typeset(_hint(front, each))) for each in front.on}

    def hinted(link: re.Match[str]) -> str:
        return f"{link[0]}<title>{hints[link[1]]}</title>"

    return re.sub(r'<a xlink:href="([^"]+)"[^>]*>', hinted, svg)


def _hint(front: Front, found: Found) -> str:
    figures = (f"{figure.text}: {scientific(figure.of(found.result))}" for figure in front.figures)
    return f"{', '.join(figures)}; {_hardware(found)}"
