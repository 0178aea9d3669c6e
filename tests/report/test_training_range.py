"""Predictions beside the nest's figures, and the guard of the training range."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from tilegrad.accelerator import Accelerator
from tilegrad.errors import DataError
from tilegrad.record import parse_result
from tilegrad.report import layer_table, outside_table, summary_table, write_report
from tilegrad.workload import Workload

pytestmark = pytest.mark.usefixtures("blank")

Record = dict[str, Any]

DEPARTURE = {
    "feature": "hardware.pe_dim",
    "unit": "PEs",
    "value": 16.0,
    "lowest": 20.0,
    "highest": 64.0,
}


def shown(renderable: RenderableType | None) -> str:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    console.print(renderable)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


@pytest.fixture
def predicted(record: Record) -> Record:
    """Return a record of a search by a checkpoint that predicts a tenth less; layer 2 departs."""
    record["predicted"] = {
        "model": "mlp (raw features), a.ckpt",
        "edp": 0.9 * record["edp"],
        "cycles": 0.9 * record["cycles"],
    }
    for layer in record["layers"]:
        layer["predicted_cycles"] = 0.9 * layer["cycles"]
        layer["outside_training_range"] = []
    record["layers"][2]["outside_training_range"] = [DEPARTURE]
    return record


def test_the_summary_compares_and_warns(predicted: Record) -> None:
    text = shown(summary_table(parse_result(predicted)))
    assert text.count("(10.0 % below the nest's)") == 2
    assert "mlp (raw features), a.ckpt" in text
    assert f"left by 1 of {len(predicted['layers'])} layers, in hardware.pe_dim" in text


def test_layers_show_both_latencies(predicted: Record) -> None:
    predicted["layers"][0]["predicted_cycles"] = 123456789.0
    text = shown(layer_table(parse_result(predicted)))
    assert "predicted" in text
    assert "123 M" in text


def test_the_guards_table_names_layer_feature_and_range(predicted: Record) -> None:
    text = shown(outside_table(parse_result(predicted)))
    row = next(line for line in text.splitlines() if "hardware.pe_dim" in line)
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells == [predicted["layers"][2]["name"], "hardware.pe_dim", "16", "20", "64", "PEs"]


def test_what_all_layers_share_is_told_once(predicted: Record) -> None:
    fact = {**DEPARTURE, "feature": "machine.memory_latency", "value": 40.0}
    for layer in predicted["layers"]:
        layer["outside_training_range"] = [fact, *layer["outside_training_range"]]
    text = shown(outside_table(parse_result(predicted)))
    (row,) = (line for line in text.splitlines() if "machine.memory_latency" in line)
    assert f"all {len(predicted['layers'])} layers" in row
    (other,) = (line for line in text.splitlines() if "hardware.pe_dim" in line)
    assert predicted["layers"][2]["name"] in other


def test_nothing_outside_is_said_too(predicted: Record) -> None:
    predicted["layers"][2]["outside_training_range"] = []
    result = parse_result(predicted)
    assert outside_table(result) is None
    assert "kept in every layer" in shown(summary_table(result))


def test_a_plain_result_has_no_predictions(record: Record) -> None:
    result = parse_result(record)
    assert result.predicted is None
    assert outside_table(result) is None
    assert "predicted" not in shown(summary_table(result)) + shown(layer_table(result))


@pytest.mark.parametrize("outside", [[], [DEPARTURE]])
def test_the_page_holds_the_guard(
    predicted: Record,
    outside: list[Record],
    leave_run: Callable[..., Path],
    gemmini: Accelerator,
    resnet50: Workload,
) -> None:
    predicted["layers"][2]["outside_training_range"] = outside
    directory = leave_run(predicted)
    write_report(directory, gemmini, resnet50)
    page = (directory / "report.html").read_text(encoding="utf-8")
    assert "Training range" in page
    assert "predicted cycles" in page
    assert ("hardware.pe_dim" in page.split("Training range")[1]) == bool(outside)
    assert ("inside the training range" in page) != bool(outside)


@pytest.mark.parametrize(
    ("place", "name", "value", "words"),
    [
        ("predicted", "edp", "many", ("predicted.edp", "'many'", "number")),
        ("predicted", "model", "", ("predicted.model", "text")),
        ("layers", "predicted_cycles", -1.0, ("layers[1].predicted_cycles", "-1.0")),
        ("layers", "outside_training_range", 3, ("layers[1].outside_training_range", "a list")),
        ("layers", "outside_training_range", [{}], ("outside_training_range[0].feature",)),
    ],
)
def test_malformed_predictions_are_refused(
    predicted: Record, place: str, name: str, value: object, words: tuple[str, ...]
) -> None:
    part = predicted["layers"][1] if place == "layers" else predicted[place]
    part[name] = value
    with pytest.raises(DataError) as caught:
        parse_result(predicted)
    assert not [word for word in words if word not in str(caught.value)]
