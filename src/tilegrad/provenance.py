"""What a result was made with: versions and the git revision."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tilegrad

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
    """Return the checkout's revision, marked where files differ from it; None outside of one."""
    command = [
        "git",
        "-C",
        str(Path(__file__).parent),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=40",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
