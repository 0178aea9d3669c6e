"""Optional packages, and the error where one is missing: it names the extra to install."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from tilegrad.errors import ConfigError

LAUNCHERS = {"joblib": "sweeps", "submitit_slurm": "slurm", "submitit_local": "slurm"}
"""Hydra's launchers that an extra brings, by the extra."""


def required(module: str, extra: str, field: str) -> ModuleType:
    """Return a module that an extra installs; ``ConfigError`` says how to get it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{field} needs the package {error.name}, which is not installed: {hint(extra)}"
        ) from None


def hint(extra: str) -> str:
    """Return the command that installs an extra."""
    return f"pip install 'tilegrad[{extra}]'"
