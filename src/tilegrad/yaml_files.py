"""YAML files of the user's, read so that every failure names the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tilegrad.errors import TilegradError

YAML_SUFFIXES = (".yaml", ".yml")


class UniqueKeysLoader(yaml.SafeLoader):
    """Safe YAML without tags of its own; a key given twice is refused, not its first value lost."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Compose one mapping; keys merged with ``<<`` may be given again, by design of YAML."""
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be a plain name", key.start_mark
                )
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key.value!r} is given twice", key.start_mark
                )
            seen.add(key.value)
        return node


def read_mapping(path: Path, error: type[TilegradError], legal: str) -> dict[str, Any]:
    """Return the fields that a file holds; ``error`` where it cannot be read."""
    if not path.is_file():
        raise error(f"{path}: cannot be read: no such file")
    try:
        # Read as Hydra reads its own: 1e-3 is a number, and no field is given twice.
        found = OmegaConf.to_container(OmegaConf.load(path))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, OmegaConfBaseException) as problem:
        raise error(f"{path}: cannot be read as YAML: {' '.join(str(problem).split())}") from None
    if not isinstance(found, dict):
        raise error(f"{path}: holds no fields (legal: {legal})")
    return {str(name): value for name, value in found.items()}
