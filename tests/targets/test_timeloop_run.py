"""Running Timeloop beside a result: with programs that answer, crash, hang or babble."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.targets.conftest import RECORDED
from tilegrad.accelerator import load_accelerator
from tilegrad.targets.timeloop import TimeloopTarget
from tilegrad.targets.timeloop.stats import Stats, parse_stats
from tilegrad.targets.tool import ToolError

STATS = "timeloop-model.stats.txt"
ANSWER = f"""
import sys, pathlib
assert [pathlib.Path(p).name for p in sys.argv[1:]] == [
    "architecture.yaml", "ERT.yaml", "ART.yaml", "problem.yaml", "mapping.yaml"]
assert all(pathlib.Path(p).exists() for p in sys.argv[1:])
open({STATS!r}, "w").write({RECORDED!r})
"""

Tool = Callable[[str], Path]


def compare(run: Path, **settings: float) -> list[str]:
    return TimeloopTarget(**settings).compare(run, load_accelerator("gemmini"))  # type: ignore[arg-type]


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "timeloop.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_figures_stand_beside_ours(run: Path, tool: Tool) -> None:
    tool(ANSWER)
    lines = compare(run)
    assert lines[0] == "cycles: 2 of 2 layers compared with Timeloop, largest disagreement 0 %"
    first, second = rows(run)
    assert (first["layer"], first["timeloop_cycles"], second["layer"]) == ("one", "512", "two/b")
    assert float(first["timeloop_energy_uj"]) == pytest.approx(0.02259432)
    assert float(first["energy_error_percent"]) == pytest.approx(0.025, abs=0.001)


def test_equal_inputs_are_evaluated_once(run: Path, tool: Tool) -> None:
    counter = run / "count"
    tool(ANSWER + f"open({str(counter)!r}, 'a').write('x')")
    compare(run, workers=1)
    assert counter.read_text() == "x"
    compare(run, workers=1)
    assert counter.read_text() == "x"


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; sys.exit('ERROR: no such level')", "ended with code 1: ERROR: no such level"),
        ("import os; os.kill(os.getpid(), 11)", "ended with code -11: no message"),
        ("import time; time.sleep(60)", "no answer within 0.5 s"),
        ("print('hello')", f"wrote no {STATS}"),
        (f"open({STATS!r}, 'wb').write(bytes(range(256)))", "the stats have no line 'Cycles: N'"),
        (f"open({STATS!r}, 'w').write('Cycles: 12\\n')", "the stats have no line 'Energy: X uJ'"),
    ],
)
def test_a_failing_tool_is_one_line_per_layer(
    run: Path, tool: Tool, program: str, message: str
) -> None:
    tool(program)
    before = (run / "result.json").read_text()
    lines = compare(run, timeout=0.5 if "sleep" in program else 20)
    assert len(lines) == 3
    assert lines[0].startswith("000_one: timeloop-model: ")
    assert message in lines[0]
    assert message in rows(run)[1]["problem"]
    assert (run / "result.json").read_text() == before


def test_a_missing_tool_is_one_line(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(run))
    assert compare(run) == ["timeloop-model is not on PATH; the result has no figures of Timeloop"]
    assert not (run / "timeloop.csv").exists()


def test_recorded_stats() -> None:
    assert parse_stats(RECORDED) == Stats(512, pytest.approx(0.02259432))
    assert parse_stats("Cycles: 7\nEnergy: 3.50 uJ\n") == Stats(7, 3.5)
    with pytest.raises(ToolError, match="no line"):
        parse_stats("")


@pytest.mark.timeloop
@pytest.mark.skipif(shutil.which("timeloop-model") is None, reason="timeloop-model is not on PATH")
def test_the_real_tool_agrees(run: Path) -> None:
    compare(run)
    for row in rows(run):
        assert not row["problem"]
        assert row["cycles"] is not None
