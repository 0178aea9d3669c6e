"""YAML files of the user's, read so that every failure names the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tilegrad.errors import TilegradError

YAML_SUFFIXES = (".yaml", ".yml")


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
