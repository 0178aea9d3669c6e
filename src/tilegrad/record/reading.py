"""Reading records; what is wrong is said with file, field, value and what is legal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from tilegrad.errors import DataError
from tilegrad.record.design import DesignRecord
from tilegrad.record.result import Result
from tilegrad.record.values import ILLEGAL, UNKNOWN

RESULT = "result.json"
_LONGEST = 60
_WHOLE = "the whole file"
_LEGAL = {
    "model_type": "an object of named fields",
    "dict_type": "an object of named fields",
    "tuple_type": "a list",
    "too_short": "a non-empty list",
    "int_type": "an integer",
    "string_type": "a text",
}
"""By pydantic's type of error, where that is all there is to know."""

_Record = TypeVar("_Record", bound=DesignRecord)


def read_result(path: Path) -> Result:
    """Read a search's result.json, or its directory's; ``DataError`` names what is wrong."""
    file = result_file(path)
    return parse_result(_decoded(file), str(file))


def read_design_record(path: Path) -> DesignRecord:
    """Read what a result.json, or its directory's, says of the design alone.

    Costs may be absent, and fields that are not of the design are not looked at. ``DataError``
    names what is wrong.
    """
    file = result_file(path)
    return _validated(DesignRecord, _decoded(file), str(file))


def parse_result(values: object, file: str = RESULT) -> Result:
    """Return the result that the decoded JSON ``values`` describe; ``file`` is for errors."""
    return _validated(Result, values, file)


def _validated(kind: type[_Record], values: object, file: str) -> _Record:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise DataError(f"{file}: {_complaint(error)}") from None


def result_file(path: Path) -> Path:
    """Return a result's file, given that or its directory."""
    return path / RESULT if path.is_dir() else path


def _decoded(file: Path) -> object:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{file}: is not JSON, perhaps truncated: {error}") from None


def _complaint(error: ValidationError) -> str:
    """Return what is wrong with the first field that is."""
    first = error.errors(include_url=False)[0]
    kind, place = first["type"], _place(first["loc"])
    if kind == "missing":
        return f"field {place} is missing"
    if kind == UNKNOWN:
        return f"field {place} is unknown ({first['msg']})"
    if kind == ILLEGAL:
        legal = first["msg"]
    elif kind == "literal_error":
        legal = str(first["ctx"]["expected"])
    else:
        legal = _LEGAL.get(kind, first["msg"])
    return f"field {place} is {_shown(first['input'])} (legal: {legal})"


def _place(steps: tuple[int | str, ...]) -> str:
    """Return ``layers[3].problem.K``."""
    place = ""
    for step in steps:
        place += f"[{step}]" if isinstance(step, int) else f".{step}"
    return place.removeprefix(".") or _WHOLE


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
