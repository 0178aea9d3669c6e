"""Networks of more layers than a person reads: the foremost are shown, the others said in words."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from tests.report.conftest import Record
from tilegrad.accelerator import Accelerator
from tilegrad.record import parse_result
from tilegrad.report import layer_table, write_report
from tilegrad.report.foremost import MOST, foremost, left_out
from tilegrad.workload import Problem, Workload


def network(layers: int) -> Workload:
    """Return a network each of whose layers costs more than those before."""
    each = (Problem(f"layer{n:04}", (1, 1, 1, 1, 16, 16 * n, 1)) for n in range(1, layers + 1))
    return Workload("many", tuple(each))


def test_few_layers_are_all_shown(record: Record) -> None:
    result = parse_result(record)
    assert foremost(result) == result
    assert left_out(result) == ""


def test_the_layers_of_the_largest_shares_are_shown(
    record_of: Callable[[Workload], Record],
) -> None:
    many = network(MOST + 50)
    result = parse_result(record_of(many))
    shown = foremost(result)
    names = [layer.name for layer in shown.layers]
    assert names == [layer.name for layer in many.layers[-MOST:]]
    assert (shown.energy_uj, shown.cycles) == (result.energy_uj, result.cycles)
    kept = sum(layer.total_energy_uj for layer in shown.layers) / result.energy_uj
    assert f"The {MOST} layers" in left_out(result)
    assert f"and 50 more: together {100 * (1 - kept):.1f} % of the energy" in left_out(result)


@pytest.mark.usefixtures("blank")
def test_table_page_and_nests_say_what_they_leave_out(
    record_of: Callable[[Workload], Record],
    leave_run: Callable[..., Path],
    gemmini: Accelerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tilegrad.report.foremost.MOST", 10)
    many = network(15)
    record = record_of(many)
    directory = leave_run(record)
    write_report(directory, gemmini, many)
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(layer_table(parse_result(record)))
    texts = {name: (directory / name).read_text() for name in ("report.html", "loop_nests.txt")}
    for text in (*texts.values(), console.export_text()):
        assert "layer0015" in text
        assert "layer0001" not in text
        assert "and 5 more" in " ".join(text.split())
    assert texts["report.html"].count("<details>") == 10
