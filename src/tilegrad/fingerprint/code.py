"""Code of the user's own that a run's settings name: another content of it is another run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from tilegrad.fingerprint.digests import digest, file_digest

INSTALLED = {"site-packages", "dist-packages"}
"""Folders of packages that are not the user's to edit."""


def own_code(target: str) -> str | None:
    """Return the digest of the module, or of the whole package, that an import path begins with.

    None for tilegrad itself, for what is installed, and for what cannot be found. Nothing is
    imported. Raises ``OSError`` where a file cannot be read.
    """
    files = _files(target.partition(".")[0])
    if not files or any(INSTALLED & set(file.parts) for file in files):
        return None
    return digest([(file.name, file_digest(file)) for file in files])


def _files(name: str) -> list[Path]:
    """Return the files of a module or package at the top."""
    try:
        spec = None if name == "tilegrad" else find_spec(name)
    except (ImportError, ValueError):
        return []
    if spec is None:
        return []
    if spec.submodule_search_locations is None:
        return [Path(spec.origin)] if spec.has_location and spec.origin else []
    folders = map(Path, spec.submodule_search_locations)
    return [file for folder in folders for file in sorted(folder.rglob("*.py"))]
