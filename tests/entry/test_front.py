"""Whole runs of ``search.py front=[...]``: table, page, going on, and what it refuses."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

import tilegrad
from tests.helpers_scripts import Command, Script
from tilegrad.errors import ConfigError

SHORT = (
    "workload=small.csv", "strategy.starts=8", "strategy.steps=5", "strategy.polish_rows=20000",
    "caps.pe_dim=16",
)  # fmt: skip
FRONT = (*SHORT, "points=4", "dir=out")


@pytest.fixture
def blank() -> None:
    """Draw the pictures here."""


@pytest.fixture
def searching(script: Script) -> Command:
    """Return a function that runs ``search.py`` with arguments."""
    return lambda *arguments: script("search", *arguments)


def _rows(directory: Path) -> list[dict[str, str]]:
    with (directory / "front.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_every_design_is_as_good_as_a_search_under_its_cap(
    searching: Command, directory: Path
) -> None:
    ended = searching(*FRONT, "front=[edp,area_mm2]")
    assert ended.code == 0, ended.err
    rows = _rows(directory / "out")
    assert [row["place"] for row in rows] == [
        f"points/{n}" for n in ("loosest", "001", "002", "003")
    ]
    for row in rows[1:]:
        assert float(row["area_mm2"]) <= float(row["cap_area_mm2"])
        alone = searching(*SHORT, f"caps.area_mm2={row['cap_area_mm2']}", f"dir={row['place']}")
        assert alone.code == 0
        found = json.loads((directory / row["place"] / "result.json").read_text())
        assert float(row["edp"]) <= found["edp"] * 1.001
    # Looser caps hold what tighter ones do.
    edps = [float(row["edp"]) for row in (*rows[1:], rows[0])]
    assert edps == sorted(edps, reverse=True)


@pytest.mark.slow
def test_the_page_leads_to_each_design_and_the_same_command_shows_it_again(
    searching: Command, directory: Path
) -> None:
    command = (*FRONT, "front=[energy,latency_ms,area_mm2]")
    assert searching(*command).code == 0
    page = (directory / "out" / "front.html").read_text()
    kept = [row for row in _rows(directory / "out") if row["on_front"] == "1"]
    assert len(kept) > 1
    links = re.findall(r'<a xlink:href="([^"]+)"[^>]*><title>energy [^<]+</title>', page)
    assert sorted(links) == sorted(f"{row['place']}/report.html" for row in kept)
    assert all((directory / "out" / link).exists() for link in links)
    before = {path: path.read_bytes() for path in (directory / "out").glob("front.*")}
    again = searching(*command)
    assert again.code == 0
    assert before == {path: path.read_bytes() for path in (directory / "out").glob("front.*")}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["front=[edp]"], "front is ['edp']; legal: one of edp, energy, latency and"),
        (["front=[edp,area]"], "unknown front[1] 'area' (legal: area_mm2, latency_ms, power_w"),
        (["front=[area_mm2,edp]"], "unknown front[0] 'area_mm2' (legal: edp, energy, latency"),
        (["front=[edp,area_mm2]", "points=1"], "points is 1; legal: an integer from 2"),
        (["front=[edp,area_mm2]", "caps.area_mm2=2"], "caps.area_mm2 is given beside a front"),
        (
            ["front=[edp,area_mm2]", "logger=csv"],
            "logger is given beside front, whose searches serve none",
        ),
        (
            ["front=[edp,latency_ms]", "accelerator.clock_mhz=null"],
            "caps.latency_ms is of a clock, and accelerator gemmini has none",
        ),
        (["front=[edp,area_mm2]", "objective=energy"], "objective is 'energy' beside front[0]"),
    ],
)
def test_bad_fronts_are_refused_by_name(
    searching: Command, directory: Path, arguments: list[str], complaint: str
) -> None:
    ended = searching(*SHORT, "dir=out", *arguments)
    assert ended.code == 2
    assert complaint in ended.err
    assert not (directory / "out").exists()


def test_one_search_from_python_is_no_front() -> None:
    with pytest.raises(ConfigError, match="front is searched by the command alone"):
        tilegrad.search("bert", front=["edp", "area_mm2"])
