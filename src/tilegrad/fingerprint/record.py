"""A run's fingerprint: parts by name, compared one by one, kept in the run's directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilegrad.errors import ConfigError
from tilegrad.files import read_json, write_json
from tilegrad.fingerprint.digests import digest

FORMAT = 1
"""Of what runs leave, and of what their numbers mean: another one is another run."""

FILE = "fingerprint.json"


@dataclass(frozen=True)
class Fingerprint:
    """The ``parts`` that tell a run of a ``kind`` from others, by name: plain values."""

    kind: str
    parts: Mapping[str, Any]
    format: int = FORMAT

    @property
    def digest(self) -> str:
        """One digest of all parts."""
        known = {name: value for name, value in self.parts.items() if value is not None}
        return digest([self.kind, self.format, sorted(known.items())])

    def directory(self, room: str, name: object) -> Path:
        """Return the default directory of a run: below ``room``, by name and digest."""
        return Path("outputs") / room / f"{name}-{self.digest[:8]}"

    def difference(self, there: Fingerprint) -> tuple[str, Any, Any] | None:
        """Return the first part whose values differ, the one of ``there`` and the one here.

        A part that is absent is one that is null.
        """
        for name in {**self.parts, **there.parts}:
            here, other = self.parts.get(name), there.parts.get(name)
            if here != other:
                return name, other, here
        return None

    def save(self, directory: Path) -> None:
        """Write the fingerprint into a run's directory."""
        record = {"format": self.format, "kind": self.kind, "parts": dict(self.parts)}
        write_json(directory / FILE, record)

    @classmethod
    def load(cls, directory: Path) -> Fingerprint | None:
        """Return what is kept in a directory; ``ConfigError`` where it cannot be read."""
        path = directory / FILE
        if not path.exists():
            return None
        found = read_json(path)
        kind, parts, written = (found.get(name) for name in ("kind", "parts", "format"))
        if not isinstance(parts, dict) or not isinstance(kind, str) or not isinstance(written, int):
            raise ConfigError(f"{path} is no fingerprint of a run; give another dir=")
        return cls(kind, parts, written)
