"""Reading fields out of an untrusted mapping, each check naming where it failed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from tilegrad.errors import AcceleratorError, unknown

_REQUIRED = object()


class Fields:
    """The fields of one mapping of a description; ``finish`` refuses those nobody asked for."""

    def __init__(self, described: object, where: str) -> None:
        if not isinstance(described, Mapping):
            raise AcceleratorError(f"{where}: expected fields, got {described!r}")
        self._fields = described
        self._where = where
        self._asked: list[str] = []

    def optional(self, name: str, default: Any = None) -> Any:
        """Return the raw value or the default."""
        self._asked.append(name)
        value = self._fields.get(name, default)
        return default if value is None else value

    def required(self, name: str) -> Any:
        """Return the raw value; refuse its absence."""
        value = self.optional(name)
        if value is None:
            raise AcceleratorError(f"{self._where}: field {name!r} is missing{self._like(name)}")
        return value

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string."""
        value = self.required(name) if default is None else self.optional(name, default)
        if not isinstance(value, str):
            raise self._wrong(name, value, "text")
        return value

    def choice(self, name: str, legal: Sequence[str]) -> str:
        """Return one of the legal names."""
        value = self.required(name)
        if value not in legal:
            raise AcceleratorError(unknown(name, value, legal, self._where))
        return str(value)

    def subset(self, name: str, legal: Sequence[str]) -> tuple[str, ...]:
        """Return a list of distinct legal names; the word ``all`` stands for all of them."""
        value = self.required(name)
        if value == "all":
            return tuple(legal)
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise self._wrong(name, value, "a list or 'all'")
        for item in value:
            if item not in legal:
                raise AcceleratorError(unknown(f"entry of {name}", item, legal, self._where))
        if len(set(value)) < len(value):
            raise self._wrong(name, list(value), "distinct entries")
        return tuple(value)

    def number(self, name: str, default: float | None = None) -> float:
        """Return a finite number that is not negative."""
        value = self.required(name) if default is None else self.optional(name, default)
        numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not numeric or not math.isfinite(value) or value < 0:
            raise self._wrong(name, value, "a finite number >= 0")
        return float(value)

    def clock(self, name: str) -> float | None:
        """Return a finite number above 0, or None where it is absent."""
        if self.optional(name) is None:
            return None
        value = self.number(name)
        if not value:
            raise self._wrong(name, value, "a finite number > 0, or null")
        return value

    def positive(self, name: str, default: Any = _REQUIRED) -> Any:
        """Return a positive integer."""
        value = self.required(name) if default is _REQUIRED else self.optional(name, default)
        if value is default:
            return value
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise self._wrong(name, value, "an integer >= 1")
        return value

    def sequence(self, name: str) -> Sequence[Any]:
        """Return a list."""
        value = self.required(name)
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise self._wrong(name, value, "a list")
        return value

    def mapping(self, name: str, legal: Sequence[str] | None = None) -> Mapping[str, Any]:
        """Return a mapping (empty where absent), its keys in ``legal`` if that is given."""
        value = self.optional(name, {})
        if not isinstance(value, Mapping):
            raise self._wrong(name, value, "fields")
        for key in value if legal is not None else ():
            if key not in (legal or ()):
                raise AcceleratorError(unknown(f"key of {name}", key, legal or (), self._where))
        return value

    def section(self, name: str) -> Fields:
        """Return the fields of a nested mapping."""
        return Fields(self.required(name), f"{self._where}.{name}")

    def finish(self) -> None:
        """Refuse fields that were not asked for."""
        for name in self._fields:
            if name not in self._asked:
                raise AcceleratorError(unknown("field", name, self._asked, self._where))

    def _like(self, name: str) -> str:
        """Return which field that nobody asked for may have meant this one, in words."""
        others = [str(each) for each in self._fields if each not in self._asked]
        near = get_close_matches(name, others, n=1)
        return f"; the unknown {near[0]!r} is much like it" if near else ""

    def _wrong(self, name: str, value: object, legal: str) -> AcceleratorError:
        return AcceleratorError(f"{self._where}: {name} is {value!r}; legal: {legal}")
