"""Files written whole or not at all, and directories that can be written to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tilegrad.errors import ConfigError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary place, whose file then takes ``path`` at once: none sees it in part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    yield temporary
    os.replace(temporary, path)


def write_text(path: Path, text: str) -> None:
    """Write a file that no reader ever sees in part."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write JSON atomically."""
    write_text(path, json.dumps(record, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON file's object; ``ConfigError`` names a file that holds none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{path} holds no JSON object")
    return found


def check_writable(field: str, directory: Path) -> None:
    """Refuse a place where no directory can be made or written to, naming the config's field."""
    there = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    if not there.is_dir():
        raise ConfigError(f"{field}={directory}: {there} is a file; legal: a directory, new or not")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(
            f"{field}={directory}: {there} is not writable; legal: a writable directory"
        )


def make_directory(field: str, directory: Path) -> None:
    """Make a directory; ``ConfigError`` names the config's field where that cannot be done."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{field}={directory}: cannot be made ({error.strerror}); legal: a writable directory"
        ) from error


@contextmanager
def alone(field: str, directory: Path, name: str) -> Iterator[None]:
    """Keep other processes out of a directory by the lock ``name``, while the context lasts.

    The system lets go of it where the process is killed. Raises ``ConfigError`` naming the config's
    field where another process is at work there.
    """
    make_directory(field, directory)
    lock = FileLock(directory / name)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ConfigError(
            f"{field}={directory}: another process is at work there; wait for it, or give another "
            "directory"
        ) from None
    try:
        yield
    finally:
        lock.release()
