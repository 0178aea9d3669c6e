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
    if not files or any(map(_installed, files.values())):
        return None
    return digest([(name, file_digest(files[name])) for name in sorted(files)])


def _files(name: str) -> dict[str, Path]:
    """Return the files of a module or package at the top, by their names within it; none: not own.

    A package without ``__init__.py`` may stand in several folders, and is listed once for each
    time that ``sys.path`` leads to it; of two files of one name, Python imports the first.
    """
    try:
        spec = None if name == "tilegrad" else find_spec(name)
    except (ImportError, ValueError):
        return {}
    if spec is None:
        return {}
    if spec.submodule_search_locations is None:
        origin = Path(spec.origin) if spec.has_location and spec.origin else None
        return {origin.name: origin} if origin else {}
    folders = list(map(Path, spec.submodule_search_locations))
    if any(map(_installed, folders)):
        # PyTorch and Lightning have thousands of files.
        return {}
    files: dict[str, Path] = {}
    for folder in folders:
        for file in folder.rglob("*.py"):
            files.setdefault(file.relative_to(folder).as_posix(), file)
    return files


def _installed(path: Path) -> bool:
    return bool(INSTALLED & set(path.parts))
