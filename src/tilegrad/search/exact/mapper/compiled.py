"""Functions compiled to machine code, kept between runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tilegrad.machine_code import compiled_in
from tilegrad.search.exact.mapper.kept import kernels_directory


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is compiled when it is first called, and runs without the GIL."""
    return compiled_in(kernels_directory(), function)
