"""Functions compiled to machine code, kept between runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

from tilegrad.search.exact.mapper.kept import code_directory


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is compiled when it is first called, and runs without the GIL."""
    settings: Any = numba.config
    before, directory = settings.CACHE_DIR, code_directory()
    settings.CACHE_DIR = directory
    try:
        made: Callable[..., Any] = numba.njit(cache=bool(directory), nogil=True)(function)
    finally:
        settings.CACHE_DIR = before
    return made
