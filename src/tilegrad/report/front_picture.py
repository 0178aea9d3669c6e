"""A picture of fronts, and the same as an SVG whose points tell of their designs."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from tilegrad.front.front import Found, Front
from tilegrad.report.engineering import scientific, typeset
from tilegrad.report.theme import MAIN_COLOUR, themed

OTHERS = "#BBBBBB"
RANDOM = "#8A6D3B"

FINGER = 13
"""Radius [pt] of what leads to a design around its point: 24 pixels wide on a phone."""

LINK = re.compile(
    r'(<a xlink:href="([^"]+)"[^>]*>)(.*?<use [^>]*?x="([-\d.]+)" y="([-\d.]+)")', re.DOTALL
)
"""A point's link, as Matplotlib writes it."""

Colour = str | tuple[float, float, float, float]

Links = dict[str, str]
"""What a browser shows of each point that is hovered over, by where it leads."""


@dataclass(frozen=True)
class Curve:
    """One front of a picture; ``link``: where a design's page is, from the picture's page."""

    front: Front
    label: str
    link: Callable[[Found], str]

    @property
    def links(self) -> Links:
        """The designs on the front, by where they lead."""
        return {self.link(each): _hint(self.front, each) for each in self.front.on}


@themed
def front_picture(title: str, curves: Sequence[Curve]) -> Figure:
    """Return the first figure against the second; a third one of a single front by colour."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    colours: list[Colour] = [MAIN_COLOUR]
    if len(curves) > 1:
        shades = colormaps["viridis"]
        colours = [shades(0.9 * at / (len(curves) - 1)) for at in range(len(curves))]
    for curve, colour in zip(curves, colours, strict=True):
        _draw(curve, colour, figure, axes, alone=len(curves) == 1)
    one = curves[0].front
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(typeset(one.figures[1].text))
    axes.set_ylabel(typeset(one.figures[0].text))
    axes.grid(True, which="both", alpha=0.25)
    axes.set_title(title)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    return figure


def _draw(curve: Curve, colour: Colour, figure: Figure, axes: Axes, alone: bool) -> None:
    front = curve.front
    kept = {each.place for each in front.on}
    if alone:
        rest = [each for each in front.found if each.place not in kept]
        _points(front, rest, axes, OTHERS)
    values = [[f.of(each.result) for f in front.figures] for each in front.on]
    shown: Colour | list[float] = colour
    if len(front.figures) == 2:
        _steps(values, axes, colour, curve.label or ("searched" if front.baseline else ""))
    elif alone:
        shown = [row[2] for row in values]
    points = _points(front, front.on, axes, shown)
    if len(front.figures) > 2 and alone:
        figure.colorbar(points, label=typeset(front.figures[2].text))
    elif len(front.figures) > 2:
        points.set_label(curve.label)
    # Where the picture is an SVG, points lead to their designs' reports.
    points.set_urls([curve.link(each) for each in front.on])
    if front.baseline is not None and front.baseline.values:
        _baseline(front.baseline.values, axes, colour if not alone else RANDOM, alone)


def _baseline(values: list[list[float]], axes: Axes, colour: Colour, alone: bool) -> None:
    drawn = sorted(values, key=lambda row: row[1:])
    axes.scatter(
        [row[1] for row in drawn], [row[0] for row in drawn], marker="x", s=18, color=colour
    )
    if len(drawn[0]) == 2:
        _steps(drawn, axes, colour, "random" if alone else "", dashed=True)


def _steps(
    values: list[list[float]], axes: Axes, colour: Colour, label: str, dashed: bool = False
) -> None:
    axes.step(
        [row[1] for row in values], [row[0] for row in values], where="post", color=colour,
        linewidth=1, linestyle="--" if dashed else "-", label=label or None,
    )  # fmt: skip


def _points(
    front: Front, designs: Sequence[Found], axes: Axes, colour: Colour | list[float]
) -> PathCollection:
    """Draw designs as points."""
    first, second = front.figures[:2]
    return axes.scatter(
        [second.of(each.result) for each in designs],
        [first.of(each.result) for each in designs],
        c=colour if isinstance(colour, list) else None,
        color=None if isinstance(colour, list) else colour,
        zorder=3,
    )


@themed
def svg(picture: Figure, links: Links) -> str:
    """Return the picture as an SVG; each point tells what ``links`` says of it."""
    text = io.StringIO()
    # So that equal fronts have equal pages.
    with rc_context({"svg.hashsalt": "front"}):
        picture.savefig(text, format="svg", metadata={"Date": None})

    def hinted(link: re.Match[str]) -> str:
        opened, place, drawn, x, y = link.groups()
        around = f'<circle cx="{x}" cy="{y}" r="{FINGER}" fill="transparent"/>'
        return f"{opened}<title>{escape(typeset(links[place]))}</title>{around}{drawn}"

    drawn = text.getvalue()[text.getvalue().index("<svg") :]
    return LINK.sub(hinted, drawn)


def hardware_text(found: Found) -> str:
    """Return a design's sizes."""
    return " ".join(f"{name}={size:g}" for name, size in found.result.hardware.items())


def _hint(front: Front, found: Found) -> str:
    figures = (f"{figure.text}: {scientific(figure.of(found.result))}" for figure in front.figures)
    return f"{', '.join(figures)}; {hardware_text(found)}"
