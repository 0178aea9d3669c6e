"""The published schema: up to date, and of the same mind as the reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.record.records import whole_record
from tilegrad.errors import DataError
from tilegrad.record import FORMAT, parse_result
from tilegrad.record.schema import schema_text

PUBLISHED = Path(__file__).parents[2] / "docs" / "result.schema.json"


def test_the_published_schema_is_up_to_date() -> None:
    again = "python -m tilegrad.record.schema > docs/result.schema.json"
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text(), f"renew it: {again}"


@pytest.mark.parametrize(
    ("path", "value", "legal"),
    [
        ("", None, True),
        ("format", FORMAT, True),
        ("format", FORMAT + 1, False),
        ("edp", -1.0, False),
        ("edp", "1", False),
        ("status", "done", False),
        ("seed", 1.5, False),
        ("git", None, True),
        ("edq", 1.0, False),
        ("warnings", ["odd"], True),
        ("warnings", [""], False),
        ("layers", [], False),
        ("layers/0/problem/K", 0, False),
        ("layers/0/problem/k", 3, False),
        ("layers/0/names", ["a", "b"], True),
        ("layers/0/predicted_interval", [1.0], False),
        ("layers/0/mapping", None, False),
    ],
)
def test_schema_and_reader_agree(path: str, value: Any, legal: bool) -> None:
    record = whole_record()
    if path:
        *parents, last = path.split("/")
        place: Any = record
        for parent in parents:
            place = place[int(parent)] if isinstance(place, list) else place[parent]
        place[last] = value
    validator = Draft202012Validator(json.loads(PUBLISHED.read_text(encoding="utf-8")))
    assert validator.is_valid(record) == legal
    if legal:
        parse_result(record)
    else:
        with pytest.raises(DataError):
            parse_result(record)
