"""Where the configuration tree lies: in the repository, or packaged beside this module."""

from __future__ import annotations

from pathlib import Path


def config_directory() -> Path:
    """Return the directory of the Hydra configuration groups."""
    packaged = Path(__file__).parent / "conf"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "conf"
