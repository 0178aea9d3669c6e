"""A front's files: a table, a picture, and a page whose points tell of their designs."""

from __future__ import annotations

import csv
import io

from matplotlib.figure import Figure
from rich import markup
from rich.table import Table

from tilegrad.files import make_directory, write_bytes, write_text
from tilegrad.front.front import WORST, Found, Front, decades
from tilegrad.report.engineering import at_most, scientific, typeset
from tilegrad.report.front_picture import Curve, front_picture, hardware_text, svg
from tilegrad.report.page import environment
from tilegrad.report.theme import png_bytes


def write_front(front: Front) -> None:
    """Write ``front.csv``, ``front.png`` and ``front.html``."""
    make_directory("dir", front.directory)
    write_text(front.directory / "front.csv", _csv(front))
    picture = front_picture(title(front), [_curve(front)])
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
    if (random := front.baseline) is not None:
        found.append(
            f"Random search, {random.samples:,} designs in {random.seconds:.3g} s (as many "
            f"{random.by} as the front's searches): {decades(random.values, front.reference):.4f}."
        )
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
        rows.append([*figures, hardware_text(each), _gap(each), each.place])
    return [*headings, "hardware", "gap", "files"], rows


def _gap(found: Found) -> str:
    return "" if found.result.gap is None else at_most(found.result.gap)


def _csv(front: Front) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(csv_rows(front))
    return text.getvalue()


def csv_rows(front: Front) -> list[list[object]]:
    """Return the heading and a row for each design found; the last column is its directory."""
    figures, caps = front.figures, front.figures[1:]
    sizes = list(front.found[0].result.hardware)
    heading = [f.name for f in figures] + [f"cap_{f.name}" for f in caps] + sizes
    rows: list[list[object]] = [[*heading, "on_front", "gap", "status", "place"]]
    kept = {each.place for each in front.on}
    for each in front.found:
        result = each.result
        rows.append(
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
    return rows


def _page_of(found: Found) -> str:
    return f"{found.place}/report.html"


def _page(front: Front, picture: Figure) -> str:
    """Return the page; each point of its picture tells of its design, and leads to its report."""
    headings, rows = _rows(front)
    reports = [(front.directory / _page_of(each)).exists() for each in front.on]
    return (
        environment()
        .get_template("front.html")
        .render(
            title=title(front),
            svg=svg(picture, _curve(front).links),
            headings=headings,
            rows=rows,
            links=[
                _page_of(each) if there else None
                for each, there in zip(front.on, reports, strict=True)
            ],
            numbers=headings[: len(front.figures)],
            notes=notes(front)[:-1],
        )
    )


def _curve(front: Front) -> Curve:
    return Curve(front, "", _page_of)
