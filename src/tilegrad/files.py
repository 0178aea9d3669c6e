"""Files written whole or not at all, and directories that can be written to."""

from __future__ import annotations

import errno
import io
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tilegrad.errors import ConfigError, OutputError

TEMPORARY = ".tmp"
"""Ending of a file that is being written; one without a writer is left of a killed process."""

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
"""What the system says where no more can be written."""


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write ``path``, a full disk say, into an ``OutputError``."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from error


@contextmanager
def with_room(directory: Path) -> Iterator[None]:
    """Turn a full disk, whoever meets it, into an ``OutputError`` that names the directory."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise OutputError(f"{directory}: cannot be written to ({error.strerror})") from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary place, whose file then takes ``path`` at once: none sees it in part.

    Nothing is left of it where that fails. Raises ``OutputError`` where the file cannot be written.
    """
    # Another process or thread may be writing the same file.
    writer = f"{os.getpid()}-{threading.get_ident()}"
    temporary = path.with_name(f".{path.name}.{writer}{TEMPORARY}")
    try:
        with written(path):
            yield temporary
            os.replace(temporary, path)
    finally:
        # Where nothing could be written there is nothing to remove, whatever the system says.
        with suppress(OSError):
            temporary.unlink()


def remove_abandoned(directory: Path) -> None:
    """Remove what killed processes left half-written in a directory that no other works in."""
    for path in directory.glob(f".*{TEMPORARY}"):
        path.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Write a file that no reader ever sees in part."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_torch(path: Path, content: Mapping[str, Any]) -> None:
    """Write what ``torch.load`` reads, so that no reader ever sees it in part."""
    # Most commands that write files need no tensors, whose import takes a second.
    import torch

    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_bytes(path, buffer.getbuffer())


def write_text(path: Path, text: str) -> None:
    """Write a file that no reader ever sees in part."""
    write_bytes(path, text.encode())


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

    The system lets go of it where the process is killed; what such a one left half-written is
    removed. Raises ``ConfigError`` naming the config's field where another process is at work.
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
    except OSError as error:
        raise OutputError(f"{field}={directory}: cannot be locked ({error.strerror})") from error
    try:
        remove_abandoned(directory)
        yield
    finally:
        lock.release()
