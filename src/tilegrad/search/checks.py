"""Checks of configured numbers; each error names the field, the value and what is legal."""

from __future__ import annotations

from math import isfinite

from tilegrad.errors import ConfigError


def positive_int(field: str, value: object, least: int = 1) -> int:
    """Return an integer of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"{field} is {value!r}; legal: an integer >= {least}")
    return value


def positive_number(field: str, value: object, below: float = float("inf")) -> float:
    """Return a finite number above 0 and below ``below``."""
    numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not numeric or not isfinite(value) or not 0 < value < below:  # type: ignore[arg-type]
        limit = "" if below == float("inf") else f" and < {below:g}"
        raise ConfigError(f"{field} is {value!r}; legal: a number > 0{limit}")
    return float(value)  # type: ignore[arg-type]


def flag(field: str, value: object) -> bool:
    """Return a boolean."""
    if not isinstance(value, bool):
        raise ConfigError(f"{field} is {value!r}; legal: true, false")
    return value
