"""A short digest of an accelerator's description, equal for equal descriptions in any process."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass

from tilegrad.accelerator.accelerator import Accelerator
from tilegrad.accelerator.expression import Expression

LETTERS = 12


def accelerator_digest(accelerator: Accelerator) -> str:
    """Return ``LETTERS`` hexadecimal digits that change with any field of the description."""
    return hashlib.sha256(_text(accelerator).encode()).hexdigest()[:LETTERS]


def _text(value: object) -> str:
    """Write a value so that its text says all and nothing but what it is (no addresses)."""
    if isinstance(value, Expression):
        return repr(value.text)
    if is_dataclass(value):
        parts = (f"{field.name}={_text(getattr(value, field.name))}" for field in fields(value))
        return f"{type(value).__name__}({', '.join(parts)})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Set):
        return "{" + ", ".join(sorted(map(_text, value))) + "}"
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(map(_text, value)) + ")"
    if value is None or isinstance(value, (str, int, float)):
        return repr(value)
    # Energy tables have no state.
    return type(value).__name__
