"""Functions compiled to machine code, kept between runs; looked up without the compiler."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any


@cache
def code_directory(here: Path, modules: tuple[str, ...]) -> str:
    """Return where machine code is kept: a directory of its own for each content of ``modules``.

    And for the place ``here`` that they lie at, as Numba's files are. Numba looks only at the file
    of the function that is called, not at those it calls. Empty where no directory can be written.
    """
    import pooch

    code = b"".join((here / f"{name}.py").read_bytes() for name in modules)
    name = f"kernels-{sha256(code + str(here).encode()).hexdigest()[:16]}"
    for parent in (Path(pooch.os_cache("tilegrad")), Path(tempfile.gettempdir()) / "tilegrad"):
        try:
            (parent / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        return str(parent / name)
    return ""


def is_kept(directory: str, pattern: str) -> bool:
    """Return whether machine code of such a name was compiled before."""
    return bool(directory) and any(Path(directory).rglob(pattern))


def compiled_in(directory: str, function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Return a function that is compiled when it is first called, and runs without the GIL.

    ``options`` are Numba's; the machine code is kept in ``directory`` where that is not empty.
    """
    import numba

    settings: Any = numba.config
    before, settings.CACHE_DIR = settings.CACHE_DIR, directory
    try:
        made: Callable[..., Any] = numba.njit(cache=bool(directory), nogil=True, **options)(
            function
        )
    finally:
        settings.CACHE_DIR = before
    return made
