"""What keeps a design from being better is said: caps, idle PEs, slow memories, a cut search."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console, RenderableType

from tilegrad.record import parse_result
from tilegrad.report import layer_table, summary_table
from tilegrad.report.limits import pe_utilisation

Record = dict[str, Any]


def shown(renderable: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(renderable)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_a_parameter_at_its_cap_is_marked(record: Record) -> None:
    text = shown(summary_table(parse_result(record | {"at_cap": ["pe_dim", "area_mm2"]})))
    assert "pe_dim 16 (at its cap), " in text
    assert "mm2 (at its cap)" in text
    assert text.count("(at its cap)") == 2
    assert "cap" not in shown(summary_table(parse_result(record)))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("complete", "complete"),
        ("budget", "stopped by its budget: a longer search may find better"),
        ("interrupted", "interrupted: going on may find better"),
    ],
)
def test_a_search_cut_short_says_so(record: Record, status: str, said: str) -> None:
    assert f" {said} " in shown(summary_table(parse_result(record | {"status": status})))


def test_what_sets_the_pace_is_said(record: Record) -> None:
    layers = record["layers"][:2]
    for layer, (cycles, part) in zip(layers, [(30, "DRAM"), (10, "arithmetic")], strict=True):
        layer |= {"count": 2, "cycles": cycles, "bottleneck": part}
    result = parse_result(record | {"layers": layers})
    assert result.bound_by == {"DRAM": 0.75, "arithmetic": 0.25}
    assert "memory-bound: DRAM 75.0 %, arithmetic 25.0 % of the cycles" in shown(
        summary_table(result)
    )
    layers[1]["cycles"] = 40
    assert "compute-bound" in shown(summary_table(parse_result(record | {"layers": layers})))


def test_layers_with_idle_pes_are_named(record: Record) -> None:
    layers = record["layers"][:7]
    used = [0.9, 0.0001, 0.3, 0.2, 0.49, 0.1, 0.5]
    for layer, share in zip(layers, used, strict=True):
        layer |= {"count": 1, "cycles": 10, "pe_utilisation": share}
    result = parse_result(record | {"layers": layers})
    assert pe_utilisation(result) == pytest.approx(sum(used) / 7)
    named = [f"{layers[i]['name']} {share}" for i, share in ((1, "0.01 %"), (5, "10.0 %"))]
    words = f"; below 50 % in 5 of 7 layers: {', '.join(named)}, "
    assert words in shown(summary_table(result))
    assert " and 1 more " in shown(summary_table(result))
    assert "49.0 % of PEs" in shown(layer_table(result))


def test_older_records_say_nothing_of_it(record: Record) -> None:
    assert "PE utilisation" not in shown(summary_table(parse_result(record)))


def test_warnings_are_shown(record: Record) -> None:
    text = shown(summary_table(parse_result(record | {"warnings": ["first", "second"]})))
    assert " first; second " in text
