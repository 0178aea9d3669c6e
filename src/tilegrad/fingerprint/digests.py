"""Digests: equal for equal content, in any process and at any place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

LETTERS = 12
"""Hexadecimal digits of a digest: few enough to read, many enough for all runs there will be."""

_BLOCK = 1 << 20


def digest(plain: object, letters: int = LETTERS) -> str:
    """Return the digest of a value of numbers, texts, lists and mappings (in their order)."""
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:letters]


def file_digest(path: Path) -> str:
    """Return the digest of a file's content, or of the names and contents of a directory's files.

    Raises ``OSError`` where one cannot be read.
    """
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.is_file())
        return digest([(file.name, file_digest(file)) for file in files])
    content = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            content.update(block)
    return content.hexdigest()[:LETTERS]


def array_digest(arrays: Iterable[Any]) -> str:
    """Return the digest of NumPy arrays: their types, shapes and values."""
    content = hashlib.sha256()
    for array in arrays:
        content.update(f"{array.dtype.str} {array.shape};".encode())
        content.update(array.tobytes())
    return content.hexdigest()[:LETTERS]
