"""A short digest of what an accelerator is: equal for equal meaning in any process."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from tilegrad.accelerator.accelerator import Accelerator
from tilegrad.accelerator.expression import Expression
from tilegrad.fingerprint.digests import digest

PROSE = ("about", "clock_mhz", "default", "machine")
"""Fields that say something to a reader, and change no cost of a nest.

A predictor is for any machine of the same design: its features read the machine's facts."""


def accelerator_digest(accelerator: Accelerator) -> str:
    """Return hexadecimal digits that change with any field of the description but its prose."""
    return digest(_meaning(accelerator))


def _meaning(value: object) -> Any:
    """Return a value as plain ones that say all and nothing but what it is (no addresses).

    Fields at their defaults are left out: a version that adds one describes the same accelerator.
    """
    if isinstance(value, Expression):
        return value.text
    if is_dataclass(value):
        stated = {f.name: getattr(value, f.name) for f in fields(value) if f.name not in PROSE}
        usual = {f.name: _default(f) for f in fields(value)}
        return _named(value, {n: v for n, v in stated.items() if not _equal(v, usual[n])})
    if isinstance(value, Mapping):
        return {str(key): _meaning(item) for key, item in value.items()}
    if isinstance(value, Set):
        return sorted(map(str, value))
    if isinstance(value, (tuple, list)):
        return [_meaning(item) for item in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    return _named(value, vars(value) if hasattr(value, "__dict__") else {})


def _named(value: object, stated: Mapping[str, object]) -> list[Any]:
    return [type(value).__qualname__, {name: _meaning(item) for name, item in stated.items()}]


def _default(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


def _equal(value: object, default: object) -> bool:
    return type(value) is type(default) and value == default
