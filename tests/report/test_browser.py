"""The page in a real browser: nothing sticks out of a phone's screen, nothing is complained of."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tilegrad.accelerator import Accelerator
from tilegrad.front.baseline import Baseline
from tilegrad.front.figures import read_figures
from tilegrad.front.front import Found, Front
from tilegrad.record import parse_result
from tilegrad.report import write_report
from tilegrad.report.front import write_front
from tilegrad.workload import Workload

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

FRAME = """<!DOCTYPE html>
<html><body style="margin: 0">
<iframe id="page" src="{page}" style="width: {width}px; height: 800px; border: 0"></iframe>
<script>
window.onload = () => {{
  const page = document.getElementById("page").contentDocument;
  const inside = (element) => element.closest(".scroll, pre, details") !== null;
  const wide = [...page.body.querySelectorAll("*")].filter(
    (element) => !inside(element) && element.getBoundingClientRect().right > {width} + 1);
  const images = [...page.images];
  const links = [...page.querySelectorAll("th a, svg a")];
  document.body.dataset.seen = JSON.stringify([
    page.documentElement.scrollWidth, wide.length,
    images.filter((image) => image.complete && image.naturalWidth > 0).length, images.length,
    Math.floor(Math.min(999, ...links.map((link) => link.getBoundingClientRect().height)))]);
}};
</script></body></html>
"""
"""Measures the page in a frame: a window of a desktop browser cannot be as narrow as a phone."""


@pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome on PATH")
@pytest.mark.parametrize("width", [390, pytest.param(1280, marks=pytest.mark.slow)])
def test_nothing_sticks_out(
    width: int,
    record: dict[str, Any],
    leave_run: Callable[..., Path],
    gemmini: Accelerator,
    resnet50: Workload,
) -> None:
    layer = record["layers"][0]
    record |= {"clock_mhz": 1000, "at_cap": ["pe_dim"], "warnings": ["w" * 200], "status": "budget"}
    layer["names"] = [layer["name"], "a_name_without_any_space_that_is_long_" * 4]
    directory = leave_run(record)
    write_report(directory, gemmini, resnet50)
    seen = _seen(directory, "report.html", width)
    assert seen.scroll_width <= width
    assert seen.sticking_out == 0
    assert seen.loaded == seen.images == 3
    assert not seen.complaints


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome on PATH")
def test_nothing_of_a_front_sticks_out_of_a_phone(record: dict[str, Any], tmp_path: Path) -> None:
    results = [
        parse_result({**record, "edp": edp, "area_mm2": area}, "record")
        for edp, area in ((8e10, 1.0), (4e10, 2.0), (3e10, 9.0))
    ]
    found = tuple(Found(f"points/00{at}", {}, result) for at, result in enumerate(results))
    baseline = Baseline("samples", 9, 9, 1.0, [[9e10, 2.0], [8.5e10, 8.0]])
    figures = read_figures(["edp", "area_mm2"])
    front = Front(figures, found, (({"area_mm2": 0.1}, "too small"),), tmp_path, baseline)
    for each in found:
        (tmp_path / each.place).mkdir(parents=True)
        (tmp_path / each.place / "report.html").touch()
    write_front(front)
    seen = _seen(tmp_path, "front.html", 390)
    assert seen.scroll_width <= 390
    assert seen.sticking_out == 0
    # What WCAG 2.2 asks of a target's size.
    assert 24 <= seen.least_link < 100
    assert not seen.complaints


@dataclass(frozen=True)
class Seen:
    """What ``FRAME`` measures of a page, and whether the browser complained of it.

    ``least_link``: the height in pixels of the smallest link in tables and pictures.
    """

    scroll_width: int
    sticking_out: int
    loaded: int
    images: int
    least_link: int
    complaints: bool


def _seen(directory: Path, page: str, width: int) -> Seen:
    """Return what is seen of a page in a window so wide."""
    (directory / "frame.html").write_text(FRAME.format(page=page, width=width), encoding="utf-8")
    profile = directory / "profile"
    command = [
        str(BROWSER),
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"),
        *("--allow-file-access-from-files", f"--user-data-dir={profile}"),
        *("--window-size=1400,900", "--virtual-time-budget=10000", "--dump-dom"),
        (directory / "frame.html").as_uri(),
    ]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    seen = re.search(r'data-seen="\[(\d+),(\d+),(\d+),(\d+),(\d+)\]"', shown.stdout)
    assert seen, shown.stdout[-2000:]
    return Seen(*map(int, seen.groups()), complaints="CONSOLE" in shown.stderr)
