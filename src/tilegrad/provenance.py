"""What a result was made with: versions and the git revision."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import tilegrad
from tilegrad.fingerprint.record import Fingerprint

PACKAGES = ("torch", "numpy", "hydra-core")


def versions() -> dict[str, str]:
    """Return the versions of tilegrad, Python and the packages that results rest on."""
    found = {"tilegrad": tilegrad.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def git_revision() -> str | None:
    """Return the checkout's revision, marked where files differ from it; None outside of one.

    An installed copy has none, whatever repository encloses it.
    """
    here = Path(__file__)
    if _git("ls-files", "--full-name", here.name) != "/".join(here.parts[-3:]):
        return None
    return _git("describe", "--always", "--dirty", "--abbrev=40")


def _git(*arguments: str) -> str | None:
    """Return what git says in this file's directory; None where it says nothing."""
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def provenance(fingerprint: Fingerprint) -> dict[str, Any]:
    """Return what a result of a run is made with and of: versions, revision, fingerprint."""
    return {"versions": versions(), "git": git_revision(), "fingerprint": fingerprint.digest}
