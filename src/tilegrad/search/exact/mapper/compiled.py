"""Functions compiled to machine code, kept between runs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
import pooch

KERNELS = (
    *("columns", "compiled", "walk", "charges", "store", "stages"),
    *("../counting", "../enumeration", "../dominance"),
)
"""Modules that are compiled together."""


@cache
def _directory() -> str:
    """Return where machine code is kept: a directory of its own for each content of the kernels.

    Numba looks only at the file of the function that is called, not at those it calls.
    """
    here = Path(__file__).parent
    code = b"".join((here / f"{name}.py").read_bytes() for name in KERNELS)
    name = f"kernels-{sha256(code).hexdigest()[:16]}"
    for parent in (Path(pooch.os_cache("tilegrad")), Path(tempfile.gettempdir()) / "tilegrad"):
        try:
            (parent / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        return str(parent / name)
    return ""


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is compiled when it is first called, and runs without the GIL."""
    settings: Any = numba.config
    before, directory = settings.CACHE_DIR, _directory()
    settings.CACHE_DIR = directory
    try:
        made: Callable[..., Any] = numba.njit(cache=bool(directory), nogil=True)(function)
    finally:
        settings.CACHE_DIR = before
    return made
