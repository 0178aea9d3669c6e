"""Reading text and YAML so that every failure names the file and the line."""

from __future__ import annotations

import reprlib
from pathlib import Path
from typing import Any

import yaml

from tilegrad.errors import WorkloadError
from tilegrad.yaml_files import UniqueKeysLoader


class Located(dict[Any, Any]):
    """A YAML mapping that remembers the line it starts on."""

    line: int = 1


def read_text(path: Path) -> str:
    """Return the file's UTF-8 text, without a byte order mark."""
    try:
        data = path.read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise WorkloadError(f"{path}: cannot read the file ({error.strerror})") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise WorkloadError(
            f"{path}, line {line}: byte {data[error.start]:#04x} is not UTF-8 text "
            "(legal: a UTF-8 text file)"
        ) from error


def load_yaml(path: Path) -> object:
    """Return the file's one YAML document; its mappings are ``Located``.

    Raises ``WorkloadError`` for anything but one document, and for a key given twice.
    """
    try:
        return yaml.load(read_text(path), Loader=_LocatedLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}, line {mark.line + 1}" if mark else str(path)
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        raise WorkloadError(f"{place}: not one legal YAML document ({reason})") from error


def expect_mapping(value: object, place: str) -> Located:
    """Return ``value`` if it is a YAML mapping; ``place`` begins the error."""
    if isinstance(value, Located):
        return value
    raise WorkloadError(f"{place}: {reprlib.repr(value)} is not legal (legal: a mapping)")


def expect_list(value: object, place: str) -> list[object]:
    """Return ``value`` if it is a YAML list; ``place`` begins the error."""
    if isinstance(value, list):
        return value
    raise WorkloadError(f"{place}: {reprlib.repr(value)} is not legal (legal: a list)")


class _LocatedLoader(UniqueKeysLoader):
    """Safe YAML whose mappings know their line."""

    def construct_located(self, node: yaml.MappingNode) -> Located:
        """Build one mapping, merged keys and all."""
        self.flatten_mapping(node)
        located = Located(self.construct_pairs(node, deep=True))
        located.line = node.start_mark.line + 1
        return located


_LocatedLoader.add_constructor("tag:yaml.org,2002:map", _LocatedLoader.construct_located)
