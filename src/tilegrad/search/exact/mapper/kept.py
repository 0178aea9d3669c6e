"""Where the mapper's machine code is kept between runs; looked up without the compiler."""

from __future__ import annotations

from pathlib import Path

from tilegrad.machine_code import code_directory, is_kept

KERNELS = (
    *("columns", "compiled", "walk", "charges", "store", "stages"),
    *("../counting", "../enumeration", "../dominance"),
)
"""Modules that are compiled together."""

BY_LAYER, BY_ROWS = "stages.finish-*.nbc", "dominance._front-*.nbc"
"""Machine code of what is compiled last, of proofs layer by layer and of enumerations."""


def kernels_directory() -> str:
    """Return where the kernels' machine code is kept; empty where nowhere can be written."""
    return code_directory(Path(__file__).parent, KERNELS)


def is_compiled(kernels: str) -> bool:
    """Return whether ``BY_LAYER`` or ``BY_ROWS`` was compiled before: it starts within a second."""
    return is_kept(kernels_directory(), kernels)
