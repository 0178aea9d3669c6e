"""Layers of any shape in a record: read, written, refused, and in the published schema."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from tests.record.records import whole_record
from tests.targets.test_timeloop_shapes import LINE
from tilegrad.errors import DataError
from tilegrad.record import parse_result
from tilegrad.record.schema import schema_text
from tilegrad.record.shapes import stated_shape
from tilegrad.shape import packaged_shape, packaged_shapes
from tilegrad.workload import Problem

SCHEMA = jsonschema.Draft202012Validator(json.loads(schema_text()))


def record_of(problem: Problem, /, **changes: Any) -> dict[str, Any]:
    """Return a record of one layer, written as a search writes it."""
    record = whole_record()
    stated = {**stated_shape(problem.shape), "problem": problem.as_dict(), **changes}
    record["layers"] = [record["layers"][0] | {"name": problem.name} | stated]
    return record


SHAPES = {name: packaged_shape(name) for name in packaged_shapes()} | {"line": LINE}


@pytest.mark.parametrize("name", SHAPES)
def test_a_layer_of_any_shape_reads_back(name: str) -> None:
    shape = SHAPES[name]
    fields = {field: size for size, field in enumerate(shape.fields, start=2)}
    problem = Problem.from_fields("layer", fields, 2, shape=shape)
    record = json.loads(json.dumps(record_of(problem)))
    found = parse_result(record)
    assert found.layers[0].problem == problem
    assert json.loads(json.dumps(found.as_json())) == record
    assert not list(SCHEMA.iter_errors(record))


def test_a_convolution_of_one_group_is_written_as_ever() -> None:
    problem = Problem("conv", (3, 3, 8, 8, 4, 16, 1), count=2)
    record = record_of(problem)
    assert "shape" not in record["layers"][0]
    assert parse_result(record).layers[0].problem == problem
    assert parse_result(record).as_json()["layers"][0]["problem"] == problem.as_dict()


MATMUL = Problem("product", (16, 64, 8), shape=packaged_shape("matmul"))
THREE = {"Weights": ["C", "K"], "Inputs": ["P + C + K"], "Outputs": ["K", "P"]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": "matmull"}, "layers[0].shape is 'matmull' (legal: batched_matmul"),
        ({"shape": "matmull"}, "nearest: matmul"),
        ({"shape": 3}, "field layers[0].shape is 3 (legal: batched_matmul"),
        ({"shape": {"dims": ["P"]}}, "field tensors: none; legal: Weights, Inputs, Outputs"),
        ({"shape": {"dims": ["P", "C", "K"], "tensors": THREE}}, "has 3 terms"),
        ({"problem": {"P": 16, "C": 64}}, "field layers[0].problem.K is missing"),
        ({"problem": {"P": 16, "C": 64, "K": 8, "R": 3}}, "layers[0].problem.R is unknown"),
        ({"problem": {"P": 16, "C": 64, "K": 0}}, "problem.K is 0 (legal: an integer from 1"),
    ],
)
def test_a_malformed_shape_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_result(record_of(MATMUL, **changes))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "changes", [{"shape": "matmull"}, {"shape": 3}, {"problem": {"P": 16, "C": 64, "K": 0}}]
)
def test_the_schema_refuses_it_too(changes: dict[str, Any]) -> None:
    assert list(SCHEMA.iter_errors(record_of(MATMUL, **changes)))
    assert not list(SCHEMA.iter_errors(record_of(MATMUL)))
