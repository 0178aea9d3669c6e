"""What a search hands its design to: another tool or machine, by one protocol."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Protocol

from tilegrad.accelerator import Accelerator


class Target(Protocol):
    """Takes a design out, runs it there and puts what that gave beside the run's own figures.

    ``runs_padded``: it runs mappings that cover more than a layer's bounds.
    """

    name: str
    runs_padded: ClassVar[bool]

    def check(self, accelerator: Accelerator) -> None:
        """Refuse an accelerator that the target is not for; ``ConfigError`` says why."""
        ...

    def export(self, directory: Path, accelerator: Accelerator) -> list[Path]:
        """Write the layers of the result in ``directory`` below it; return what runs each."""
        ...

    def compare(self, directory: Path, accelerator: Accelerator) -> list[str]:
        """Export and run the result in ``directory``; return what there is to say, a line each.

        Nothing that a tool does raises: missing, hanging, crashing or babbling, it is a line.
        """
        ...
