"""The tables of the terminal, with numbers computed here from result.json alone."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console, RenderableType

from tilegrad.record import parse_result
from tilegrad.report import layer_table, summary_table

Record = dict[str, Any]


def shown(renderable: RenderableType, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(renderable)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= width
    return text


def test_summary_holds_the_figures(record: Record) -> None:
    text = shown(summary_table(parse_result(record)))
    layers = record["layers"]
    energy = sum(layer["count"] * layer["energy_uj"] for layer in layers)
    cycles = sum(layer["count"] * layer["cycles"] for layer in layers)
    mantissa, exponent = f"{energy * cycles:.3e}".split("e+")
    assert f"{mantissa}e{int(exponent)} uJ*cycles" in text
    assert f"{energy / 1e3:.1f} mJ" in text
    assert f"{cycles / 1e6:.0f} M cycles" in text
    assert "pe_dim 16" in text
    assert "123 k" in text
    assert "complete" in text


@pytest.mark.parametrize("width", [80, 140])
def test_layers_hold_mapping_costs_and_shares(record: Record, width: int) -> None:
    text = shown(layer_table(parse_result(record)), width)
    words = re.sub(r"[^\w%.\[\]+-]+", " ", text)
    total = sum(layer["count"] * layer["cycles"] for layer in record["layers"])
    for layer in record["layers"]:
        assert layer["name"] in words
        assert layer["bottleneck"] in words
        assert f"{100 * layer['count'] * layer['cycles'] / total:.1f} %" in words
    assert "…" not in text


def test_names_are_not_read_as_markup(record: Record) -> None:
    record["layers"][0]["name"] = "[red]conv[/nothing]"
    record["strategy"] = "[/bold] done"
    result = parse_result(record)
    assert "[red]conv[/nothing]" in shown(layer_table(result))
    assert "[/bold] done search" in shown(summary_table(result))


def test_tables_print_where_only_ascii_is_known(record: Record) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    console = Console(file=stream, width=80)
    console.print(summary_table(parse_result(record)), layer_table(parse_result(record)))
