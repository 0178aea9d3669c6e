"""The whole run on one page that needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from tilegrad.accelerator import Accelerator
from tilegrad.cost.hardware import area_by_part_mm2
from tilegrad.record import Result
from tilegrad.report.coverage import NOT_MAPPED, left_out_rows
from tilegrad.report.engineering import counted, joules, percent, scientific, typeset
from tilegrad.report.figures import LayerFigures
from tilegrad.report.foremost import left_out
from tilegrad.report.limits import STATUS, at_cap, is_low
from tilegrad.report.measured import measured_cells, measured_headings
from tilegrad.report.networks import NETWORKS, NUMBERS, network_rows
from tilegrad.report.page_tables import (
    level_rows,
    occupancy_levels,
    provenance,
    shape_text,
    sizes_text,
    times,
)
from tilegrad.report.summary import share, summary_rows
from tilegrad.report.training_range import HEADINGS, outside_rows

CARDS = ("EDP", "energy", "latency", "inference", "throughput", "power", "efficiency", "area")
"""Rows of the summary that stand on top of the page, before the hardware's sizes."""

ELSEWHERE = (*CARDS, "hardware", "warning")
"""Rows of the summary that the page shows in places of their own."""


@dataclass(frozen=True)
class Picture:
    """A PNG with its caption, and in words what it shows for those who cannot see it."""

    png: bytes
    caption: str
    words: str

    @property
    def source(self) -> str:
        """The picture as text that an ``img`` takes."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode()}"


@dataclass(frozen=True)
class Page:
    """All that the page shows; ``figures`` and ``loop_nests`` are of the layers shown."""

    result: Result
    accelerator: Accelerator
    figures: Sequence[LayerFigures]
    pictures: Mapping[str, Picture]
    loop_nests: Sequence[str]

    def html(self) -> str:
        """Return the page."""
        return environment().get_template("report.html").render(self._content())

    def _content(self) -> dict[str, object]:
        result = self.result
        hardware = result.hardware
        rows = {name: typeset(text) for name, text in summary_rows(result).items()}
        sizes = {name: f"{value:g}{at_cap(result, name)}" for name, value in hardware.items()}
        areas = area_by_part_mm2(self.accelerator, hardware)
        return {
            "result": result,
            "cards": {name: rows[name] for name in CARDS if name in rows} | sizes,
            "facts": {name: text for name, text in rows.items() if name not in ELSEWHERE},
            "status": STATUS[result.status],
            "figures": self.figures,
            "pictures": self.pictures,
            "loop_nests": self.loop_nests,
            "energy": result.energy_uj,
            "cycles": result.cycles,
            "left_out": left_out(result),
            "occupied": occupancy_levels(self.accelerator, hardware),
            "areas": {part: float(area) for part, area in areas.items()},
            "levels": level_rows(self.accelerator, hardware),
            "networks": (
                [typeset(name) for name in NETWORKS],
                [typeset(name) for name in NUMBERS],
                network_rows(result),
            ),
            "not_mapped": (NOT_MAPPED, left_out_rows(result)),
            "measured": measured_headings(result),
            "outside": (HEADINGS, outside_rows(result)),
            "provenance": provenance(result),
        }


def environment() -> Environment:
    """Return what the pages' templates are rendered in."""
    environment = Environment(
        loader=PackageLoader("tilegrad.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "counted": counted,
        "measured": measured_cells,
        "joules": lambda microjoules: typeset(joules(microjoules)),
        "percent": percent,
        "scientific": scientific,
        "shape": shape_text,
        "typeset": typeset,
    }
    environment.globals |= {"share": share, "is_low": is_low, "times": times, "sizes": sizes_text}
    return environment
