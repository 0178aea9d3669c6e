"""Accelerator descriptions by name or path."""

from __future__ import annotations

from pathlib import Path

import yaml

from tilegrad.accelerator.accelerator import Accelerator
from tilegrad.accelerator.build import build_accelerator
from tilegrad.errors import AcceleratorError, unknown
from tilegrad.paths import config_directory


def packaged_accelerators() -> tuple[str, ...]:
    """Return the names that ``load_accelerator`` knows."""
    return tuple(sorted(path.stem for path in (config_directory() / "accelerator").glob("*.yaml")))


def load_accelerator(name_or_path: str) -> Accelerator:
    """Return a packaged accelerator by name, or the one that a YAML file describes.

    Raises ``AcceleratorError`` naming the file and field, or the legal names.
    """
    path = Path(name_or_path)
    if path.suffix not in {".yaml", ".yml"}:
        if name_or_path not in packaged_accelerators():
            raise AcceleratorError(unknown("accelerator", name_or_path, packaged_accelerators()))
        path = config_directory() / "accelerator" / f"{name_or_path}.yaml"
    try:
        described = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise AcceleratorError(f"{path}: cannot be read as YAML: {error}") from None
    if not isinstance(described, dict) or not isinstance(described.get("accelerator"), dict):
        raise AcceleratorError(f"{path}: has no mapping under the key 'accelerator'")
    description = {str(key): value for key, value in described["accelerator"].items()}
    description.pop("_target_", None)
    return build_accelerator(**description)
