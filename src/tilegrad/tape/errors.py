"""What cannot be recorded."""

from __future__ import annotations


class NotRecordableError(Exception):
    """Tensor operations that only tensor operations can do; never shown to users."""
