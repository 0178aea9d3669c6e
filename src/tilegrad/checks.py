"""Checks of configured numbers; each error names the field, the value and what is legal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from tilegrad.errors import ConfigError, unknown

LARGEST = 2**63 - 1
"""The largest integer that random generators and tensors take."""

CAPPED = ("latency_ms", "power_w", "dram_gbs")
"""Fields of ``caps`` that are of what designs do, and of no size of an accelerator."""

SEARCHED = ("hardware.", "caps.")
"""Fields beside the accelerator's that searches alone read."""


def positive_int(field: str, value: object, least: int = 1) -> int:
    """Return an integer of at least ``least`` and at most ``LARGEST``."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LARGEST:
        meant = isinstance(value, float) and value.is_integer() and least <= value <= LARGEST
        # 1e3 is a float to YAML: said, not taken, as a config must read the same everywhere.
        advice = f"; write {int(value)}" if meant else ""  # type: ignore[call-overload]
        legal = f"an integer from {least} to 2**63 - 1"
        raise ConfigError(f"{field} is {value!r}; legal: {legal}{advice}")
    return value


def positive_number(field: str, value: object, below: float = float("inf")) -> float:
    """Return a finite number above 0 and below ``below``."""
    if not is_number(value) or not 0 < value < below:  # type: ignore[operator]
        limit = "" if below == float("inf") else f" and < {below:g}"
        raise ConfigError(f"{field} is {value!r}; legal: a number > 0{limit}")
    return float(value)  # type: ignore[arg-type]


def is_number(value: object) -> bool:
    """Return whether a value is a finite number (and no boolean)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= LARGEST if isinstance(value, int) else isfinite(value)


def choice(field: str, value: object, legal: Iterable[str]) -> str:
    """Return one of the legal names."""
    names = tuple(legal)
    if value not in names:
        raise ConfigError(unknown(field, value, names))
    return str(value)


def section(field: str, value: object, legal: Iterable[str]) -> dict[str, Any]:
    """Return the fields of a section, all of them legal; absent ones are None."""
    names = tuple(legal)
    if not isinstance(value, Mapping):
        raise ConfigError(f"{field} is {value!r}; legal: the fields {', '.join(names)}")
    known_fields(field, value, names)
    return {name: value.get(name) for name in names}


def known_fields(field: str, names: Iterable[Any], legal: Iterable[str]) -> None:
    """Refuse names that are not legal in the section ``field``."""
    legal = tuple(legal)
    for name in names:
        if name not in legal:
            raise ConfigError(unknown("field", name, legal, field))


def flag(field: str, value: object) -> bool:
    """Return a boolean."""
    if not isinstance(value, bool):
        raise ConfigError(f"{field} is {value!r}; legal: true, false")
    return value


def wrong_separator(header: Sequence[str]) -> str | None:
    """Return what to say of a table's header that is one column where it should be several."""
    separators = {";": "';'", "\t": "tabs", "|": "'|'"}
    found = [name for mark, name in separators.items() if len(header) == 1 and mark in header[0]]
    return f"the columns are separated by {found[0]} (legal: ',')" if found else None


def no_searched_hardware(overrides: Iterable[str], field: str) -> None:
    """Refuse settings of a search's hardware where ``field`` says which hardware data have."""
    for override in overrides:
        if override.lstrip("+~ ").startswith(SEARCHED):
            raise ConfigError(
                f"{override} is of searches; legal: hardware that the data have, which "
                f"{field} chooses for simulated schedules and tables"
            )
