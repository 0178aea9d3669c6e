"""One value of a layer description: the integer and text rules that every importer shares."""

from __future__ import annotations

import re
import reprlib
from numbers import Integral

from tilegrad.errors import WorkloadError

LARGEST = 2**53
"""Bounds become float64 tensors, which hold every integer up to here exactly."""

_WRITTEN_INTEGER = re.compile(r"\s*([+-]?[0-9]{1,20})(\.0*)?\s*")


def check_positive(value: object, place: str) -> int:
    """Return ``value`` if it is an int in 1..2**53 (bool refused); ``place`` begins the error."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST:
        return value
    shown = reprlib.repr(value)
    raise WorkloadError(f"{place}: {shown} is not legal (legal: an integer from 1 to {LARGEST})")


def parse_positive(value: object, place: str) -> int:
    """Read a positive integer from a file's value: ``64``, ``64.0``, ``"64"`` and ``"64.0"``."""
    return check_positive(_whole(value), place)


def parse_text(value: object, place: str) -> str:
    """Read a name; YAML reads a name such as ``07`` as a number, so numbers are taken too."""
    text = str(value).strip() if isinstance(value, str | int | float) else ""
    if not text or isinstance(value, bool):
        raise WorkloadError(f"{place}: {value!r} is not legal (legal: a non-empty name)")
    return text


def _whole(value: object) -> object:
    """Return the int that ``value`` spells, or ``value`` itself where it spells none."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    match = _WRITTEN_INTEGER.fullmatch(value) if isinstance(value, str) else None
    return int(match[1]) if match else value
