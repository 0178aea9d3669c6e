"""Files opened so that every failure is one clear error, packed ones unpacked as they are read."""

from __future__ import annotations

import gzip
import tarfile
import textwrap
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import BufferedReader
from pathlib import Path
from typing import IO

import pyarrow as pa

from tilegrad.errors import DataError

Stream = BufferedReader | gzip.GzipFile

_UNREADABLE = (OSError, EOFError, zlib.error, tarfile.TarError, pa.ArrowException, UnicodeError)


@contextmanager
def explained(path: Path, action: str = "read") -> Iterator[None]:
    """Turn a failure to read or write ``path`` into a ``DataError`` of one paragraph."""
    try:
        yield
    except _UNREADABLE as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        short = textwrap.shorten(reason, 300, placeholder=" ...")
        raise DataError(f"{path}: cannot be {action} ({short or type(error).__name__})") from error


def unpacked(path: Path, raw: BufferedReader, suffix: str) -> AbstractContextManager[Stream]:
    """Return a context that gives the bytes of the CSV inside; ``suffix`` says how it is packed."""
    if suffix == ".csv":
        return nullcontext(raw)
    if suffix == ".csv.gz":
        return gzip.GzipFile(fileobj=raw)
    return _only_member(path, raw)


@contextmanager
def _only_member(path: Path, raw: IO[bytes]) -> Iterator[Stream]:
    with tarfile.open(fileobj=raw, mode="r|gz") as archive:
        member = _next_file(archive)
        stream = archive.extractfile(member) if member else None
        if not isinstance(stream, BufferedReader):
            raise DataError(f"{path}: the archive is empty (legal: one CSV file)")
        yield stream
        with explained(path):
            other = _next_file(archive)
        if other:
            raise DataError(f"{path}: the archive also holds {other.name!r} (legal: one CSV file)")


def _next_file(archive: tarfile.TarFile) -> tarfile.TarInfo | None:
    while (member := archive.next()) is not None:
        if member.isfile():
            return member
    return None
