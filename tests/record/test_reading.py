"""Records read back: as they were written, or refused with file, field, value and what is legal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.record.records import whole_record
from tilegrad.errors import DataError
from tilegrad.record import parse_result, read_design_record, read_result


def test_what_was_read_is_written_unchanged() -> None:
    plain = whole_record()
    named = {"format": 1, **plain, "warnings": ["odd"]}
    named["layers"] = [{**plain["layers"][0], "names": ["a", "b"], "predicted_cycles": 3.5}]
    for record in (plain, named):
        text = json.dumps(parse_result(record).as_json(), sort_keys=True)
        assert text == json.dumps(record, sort_keys=True)


def test_directory_and_file_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(json.dumps(whole_record()))
    assert read_result(tmp_path) == read_result(tmp_path / "result.json")
    assert read_design_record(tmp_path).layers[0].problem.bounds == (1, 1, 16, 1, 64, 8, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "r.json: field format is 2 (legal: 1)"),
        ({"edq": 1.0}, "field edq is unknown (legal: "),
        ({"edq": 1.0}, "nearest: edp)"),
        ({"edp": float("inf")}, "field edp is inf (legal: a finite number >= 0)"),
        ({"hardware": {"pe_dim": True}}, "field hardware.pe_dim is True"),
        ({"seed": "0"}, "field seed is '0' (legal: an integer)"),
        ({"git": {"{a}": 1}}, "field git is {'{a}': 1} (legal: a text)"),
        ({"layers": {"0": {}}}, "field layers is {'0': {}} (legal: a list)"),
        (
            {"predicted": {"model": "m", "edp": 1.0, "cycles": 1.0, "level": 0.9}},
            "field predicted.cycles_low is None (legal: a finite number >= 0, as there is a level)",
        ),
    ],
)
def test_a_malformed_record_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_result(whole_record() | changes, "r.json")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"names": "conv"}, "field layers[0].names is 'conv' (legal: a list)"),
        ({"problem": {"K": 8}}, "field layers[0].problem.R is missing"),
        ({"problem": 3}, "field layers[0].problem is 3 (legal: an object of named fields)"),
        ({"count": 0}, "field layers[0].count is 0 (legal: an integer from 1 to 2**53)"),
        ({"maping": "L3"}, "field layers[0].maping is unknown"),
        ({"bottleneck": "{x}"}, "field layers[0].bottleneck is '{x}' (legal: arithmetic, DRAM)"),
        ({"cycles_by_part": {"DRAM": 1}}, "legal: numbers named arithmetic, DRAM"),
    ],
)
def test_a_malformed_layer_is_refused(changes: dict[str, Any], message: str) -> None:
    record = whole_record()
    record["layers"] = [record["layers"][0] | changes]
    with pytest.raises(DataError) as caught:
        parse_result(record)
    assert message in str(caught.value)


def test_a_design_by_hand_needs_no_costs(tmp_path: Path) -> None:
    whole = whole_record()
    layer = {name: whole["layers"][0][name] for name in ("name", "mapping")}
    layer["problem"] = {"R": 1, "S": 1, "P": 16, "Q": 1, "C": 64, "K": 8}
    design = {"accelerator": "gemmini", "hardware": whole["hardware"], "layers": [layer]}
    (tmp_path / "result.json").write_text(json.dumps(design))
    found = read_design_record(tmp_path)
    assert (found.workload, found.layers[0].count) == ("network", 1)
    assert found.layers[0].problem.strides == (1, 1, 1, 1)
    with pytest.raises(DataError, match=r"result\.json: field .* is missing"):
        read_result(tmp_path)
