"""YAML with Timeloop's tags (``!Component`` ...), written and read as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tilegrad.errors import AcceleratorError
from tilegrad.yaml_files import UniqueKeysLoader


@dataclass(frozen=True)
class Tagged:
    """A YAML node with a tag, such as ``!Container``."""

    tag: str
    fields: Mapping[str, Any]


class _Writer(yaml.SafeDumper):
    """Writes ``Tagged`` nodes, and lists on one line."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Write everything out."""
        return True


class _Reader(UniqueKeysLoader):
    """Reads any tagged mapping as ``Tagged``."""


def _write(writer: yaml.SafeDumper, node: Tagged) -> yaml.Node:
    return writer.represent_mapping(node.tag, node.fields)


def _read(reader: yaml.SafeLoader, tag: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        fields = reader.construct_mapping(node, deep=True)
        return Tagged(f"!{tag}", {str(name): value for name, value in fields.items()})
    raise yaml.constructor.ConstructorError(None, None, f"unexpected tag !{tag}", node.start_mark)


_Writer.add_representer(Tagged, _write)
_Reader.add_multi_constructor("!", _read)


def write_yaml(path: Path, document: object) -> None:
    """Write a document; lists of scalars on one line."""
    text = yaml.dump(document, Dumper=_Writer, sort_keys=False, default_flow_style=None, width=100)
    path.write_text(text, encoding="utf-8")


def read_yaml(path: Path) -> object:
    """Return a document; ``AcceleratorError`` names the file and what is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8")
        if "{{" in text:
            raise AcceleratorError(f"{path}: holds a Jinja template ({{{{...}}}}); expand it first")
        return yaml.load(text, Loader=_Reader)
    except OSError as error:
        raise AcceleratorError(f"{path}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise AcceleratorError(f"{path}: cannot be read as YAML: {reason}") from None
