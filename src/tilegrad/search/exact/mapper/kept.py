"""Where the mapper's machine code is kept between runs; looked up without the compiler."""

from __future__ import annotations

import tempfile
from functools import cache
from hashlib import sha256
from pathlib import Path

import pooch

KERNELS = (
    *("columns", "compiled", "walk", "charges", "store", "stages"),
    *("../counting", "../enumeration", "../dominance"),
)
"""Modules that are compiled together."""

BY_LAYER, BY_ROWS = "stages.finish-*.nbc", "dominance._front-*.nbc"
"""Machine code of what is compiled last, of proofs layer by layer and of enumerations."""


@cache
def code_directory() -> str:
    """Return where machine code is kept: a directory of its own for each content of the kernels.

    And for each place that they lie at, as numba's files are. Numba looks only at the file of the
    function that is called, not at those it calls. Empty where no directory can be written.
    """
    here = Path(__file__).parent
    code = b"".join((here / f"{name}.py").read_bytes() for name in KERNELS)
    name = f"kernels-{sha256(code + str(here).encode()).hexdigest()[:16]}"
    for parent in (Path(pooch.os_cache("tilegrad")), Path(tempfile.gettempdir()) / "tilegrad"):
        try:
            (parent / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        return str(parent / name)
    return ""


def is_compiled(kernels: str) -> bool:
    """Return whether ``BY_LAYER`` or ``BY_ROWS`` was compiled before: it starts within a second."""
    directory = code_directory()
    return bool(directory) and any(Path(directory).rglob(kernels))
