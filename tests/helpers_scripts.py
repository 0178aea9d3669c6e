"""Entry scripts run in this process: how they ended, and cases that they refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """How a run ended: exit code, and what it printed."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]
"""Runs one script with arguments."""

Script = Callable[..., Ended]
"""Runs a Hydra command, by name, with arguments."""


@dataclass(frozen=True)
class Case:
    """Arguments, and what the error must name."""

    arguments: str
    names: tuple[str, ...]


def case(arguments: str, *names: str) -> Case:
    return Case(arguments, names)
