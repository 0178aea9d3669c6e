"""The page in a real browser: nothing sticks out of a phone's screen, nothing is complained of."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tilegrad.accelerator import Accelerator
from tilegrad.report import write_report
from tilegrad.workload import Workload

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

FRAME = """<!DOCTYPE html>
<html><body style="margin: 0">
<iframe id="page" src="report.html" style="width: {width}px; height: 800px; border: 0"></iframe>
<script>
window.onload = () => {{
  const page = document.getElementById("page").contentDocument;
  const inside = (element) => element.closest(".scroll, pre, details") !== null;
  const wide = [...page.body.querySelectorAll("*")].filter(
    (element) => !inside(element) && element.getBoundingClientRect().right > {width} + 1);
  const images = [...page.images];
  document.body.dataset.seen = JSON.stringify([
    page.documentElement.scrollWidth, wide.length,
    images.filter((image) => image.complete && image.naturalWidth > 0).length, images.length]);
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
    tmp_path: Path,
) -> None:
    layer = record["layers"][0]
    record |= {"clock_mhz": 1000, "at_cap": ["pe_dim"], "warnings": ["w" * 200], "status": "budget"}
    layer["names"] = [layer["name"], "a_name_without_any_space_that_is_long_" * 4]
    directory = leave_run(record)
    write_report(directory, gemmini, resnet50)
    (directory / "frame.html").write_text(FRAME.format(width=width), encoding="utf-8")
    command = [
        str(BROWSER),
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"),
        *("--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}"),
        *("--window-size=1400,900", "--virtual-time-budget=10000", "--dump-dom"),
        (directory / "frame.html").as_uri(),
    ]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    seen = re.search(r'data-seen="\[(\d+),(\d+),(\d+),(\d+)\]"', shown.stdout)
    assert seen, shown.stdout[-2000:]
    scroll_width, sticking_out, loaded, images = map(int, seen.groups())
    assert scroll_width <= width
    assert sticking_out == 0
    assert loaded == images == 3
    assert "CONSOLE" not in shown.stderr
