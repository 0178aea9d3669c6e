"""Errors that are the user's to mend: one paragraph, the field, the value, what is legal."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TilegradError(Exception):
    """Base of every error raised on bad input; entry scripts print it and exit with code 2."""


class ConfigError(TilegradError):
    """A configuration field has an illegal name, type or value."""


class WorkloadError(TilegradError):
    """A layer table or problem file is malformed."""


class AcceleratorError(TilegradError):
    """An accelerator description is malformed."""


class MappingError(TilegradError):
    """A mapping is malformed or does not fit its problem or hardware."""


class DataError(TilegradError):
    """A table of measurements is missing, truncated or malformed."""


class OutputError(TilegradError):
    """A file cannot be written: the disk is full, say."""


class PredictionError(TilegradError):
    """A trained predictor's answer is no finite number."""


class Stopped(KeyboardInterrupt):
    """Ctrl-C, after which the user was told how to go on."""


class InfeasibleError(TilegradError):
    """No mapping satisfies the constraints."""


def nearest(value: object, legal: Iterable[object]) -> str:
    """Return ``"legal: a, b, c; nearest: b"`` for an error about ``value``."""
    names = [str(choice) for choice in legal]
    close = difflib.get_close_matches(str(value), names, n=1, cutoff=0.4)
    listing = "legal: " + ", ".join(names)
    return f"{listing}; nearest: {close[0]}" if close else listing


def unknown(what: str, value: object, legal: Iterable[object], where: str = "") -> str:
    """Return the message for a name that is not in the legal set."""
    place = f"{where}: " if where else ""
    return f"{place}unknown {what} {value!r} ({nearest(value, legal)})"
