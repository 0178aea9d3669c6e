"""Memory that tensors leave stays with the process for the next ones."""

from __future__ import annotations

import ctypes
import os
import platform

LARGEST, MOST = 32 << 20, 512 << 20
"""Bytes of a block up to which it is kept (glibc allows no more), and of all that is kept."""

SETTINGS = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")
"""Environment variables by which users settle it themselves."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of ``mallopt(3)``."""


def keep_freed_memory() -> bool:
    """Keep freed memory instead of giving it back; return whether that is so from now on.

    Otherwise each temporary of some hundred kilobytes is new pages to the system, which zeroes them
    at first touch: a seventh of a descent's processor time. For glibc alone, and not where the
    environment says how much is kept.
    """
    if platform.libc_ver()[0] != "glibc" or any(name in os.environ for name in SETTINGS):
        return False
    library = ctypes.CDLL(None)
    kept = library.mallopt(_MMAP_THRESHOLD, LARGEST), library.mallopt(_TRIM_THRESHOLD, MOST)
    return all(kept)
