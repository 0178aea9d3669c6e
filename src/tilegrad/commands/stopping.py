"""How a command ends on Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from rich.console import Console

from tilegrad.errors import Stopped


def stop(directory: str | Path | None = None) -> NoReturn:
    """Say how to go on, by ``directory`` where the command alone does not name it, and end.

    Raises:
        Stopped: always.
    """
    place = "" if directory is None else f", dir={directory}"
    Console(stderr=True).print(f"interrupted; to go on: the same command{place}", soft_wrap=True)
    raise Stopped from None
