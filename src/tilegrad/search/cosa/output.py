"""Standard output without the notes that HiGHS leaves there for itself (SciPy 1.17's does too)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Silence:
    """The process's standard output dropped while any thread asks for that."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asking = 0
        self._kept = -1

    def begin(self) -> None:
        """Drop it, unless another thread had it dropped already."""
        with self._lock:
            if not self._asking:
                sys.stdout.flush()
                self._kept = os.dup(1)
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, 1)
                os.close(nowhere)
            self._asking += 1

    def end(self) -> None:
        """Give it back, unless another thread still asks for its silence."""
        with self._lock:
            self._asking -= 1
            if not self._asking:
                os.dup2(self._kept, 1)
                os.close(self._kept)


_SILENCE = Silence()
"""Of the one standard output that a process has."""


@contextmanager
def without_output() -> Iterator[None]:
    """Drop what the process writes to standard output, from any of its threads."""
    _SILENCE.begin()
    try:
        yield
    finally:
        _SILENCE.end()
