"""Reading named values out of JSON; what is wrong is said with file, field and value."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NoReturn

from tilegrad.errors import DataError

_ABSENT = object()


class Fields:
    """The fields of one JSON object; ``file`` and ``path`` say where it lies."""

    def __init__(self, values: object, file: str, path: str = "") -> None:
        self.file = file
        self.path = path
        if not isinstance(values, dict):
            self._refuse(path or "the whole file", values, "an object of named fields")
        self._values: dict[str, object] = values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def get(self, name: str) -> object:
        """Return any value; refuse an absent one."""
        value = self._values.get(name, _ABSENT)
        if value is _ABSENT:
            raise DataError(f"{self.file}: field {self.place(name)} is missing")
        return value

    def number(self, name: str) -> float:
        """Return a finite number that is not negative."""
        number = _as_float(self.get(name))
        if not math.isfinite(number) or number < 0:
            self.refuse(name, "a finite number >= 0")
        return number

    def text(self, name: str) -> str:
        """Return a non-empty text."""
        value = self.get(name)
        if not isinstance(value, str) or not value:
            self.refuse(name, "a non-empty text")
        return value

    def numbers(self, name: str) -> dict[str, float]:
        """Return an object whose values are all numbers."""
        inner = self.inside(name)
        return {key: inner.number(key) for key in inner}

    def inside(self, name: str) -> Fields:
        """Return the fields of a nested object."""
        return Fields(self.get(name), self.file, self.place(name))

    def each(self, name: str) -> list[Fields]:
        """Return the fields of every object of a non-empty list."""
        if self.get(name) == []:
            self.refuse(name, "a non-empty list")
        return self.every(name)

    def every(self, name: str) -> list[Fields]:
        """Return the fields of every object of a list."""
        value = self.get(name)
        if not isinstance(value, list):
            self.refuse(name, "a list")
        place = self.place(name)
        return [Fields(item, self.file, f"{place}[{index}]") for index, item in enumerate(value)]

    def place(self, name: str) -> str:
        """Return the path of a field from the top of the file."""
        return f"{self.path}.{name}" if self.path else name

    def refuse(self, name: str, legal: str) -> NoReturn:
        """Raise ``DataError`` about a field that is there."""
        self._refuse(self.place(name), self.get(name), legal)

    def _refuse(self, place: str, value: object, legal: str) -> NoReturn:
        shown = repr(value)
        short = shown if len(shown) <= 60 else f"{shown[:57]}..."
        raise DataError(f"{self.file}: field {place} is {short} (legal: {legal})")


def _as_float(value: object) -> float:
    """Return the value of a JSON number, NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf
