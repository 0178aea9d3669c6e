"""What results say of the code that made them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import tilegrad

SCRIPT = "from tilegrad.provenance import git_revision; print(git_revision())"


def git(directory: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@x", *arguments]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def revision(path: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(path)}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_checkout_names_its_revision_and_an_installed_copy_none(tmp_path: Path) -> None:
    source = Path(tilegrad.__file__).parent
    shutil.copytree(source, tmp_path / "src" / "tilegrad")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "src")
    git(tmp_path, "commit", "-qm", "all")
    assert revision(tmp_path / "src") == git(tmp_path, "rev-parse", "HEAD")
    installed = tmp_path / "lib" / "src"
    shutil.copytree(source, installed / "tilegrad")
    assert revision(installed) == "None"
