"""Accelerator descriptions by name or path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tilegrad.accelerator.accelerator import Accelerator
from tilegrad.accelerator.build import build_accelerator
from tilegrad.errors import AcceleratorError, unknown
from tilegrad.paths import config_directory
from tilegrad.yaml_files import YAML_SUFFIXES, read_mapping


def packaged_accelerators() -> tuple[str, ...]:
    """Return the names that ``load_accelerator`` knows."""
    return tuple(sorted(path.stem for path in (config_directory() / "accelerator").glob("*.yaml")))


def load_accelerator(name_or_path: str) -> Accelerator:
    """Return a packaged accelerator by name, or the one that a YAML file describes.

    Raises ``AcceleratorError`` naming the file and field, or the legal names.
    """
    path = Path(name_or_path)
    if path.suffix.lower() not in YAML_SUFFIXES:
        if name_or_path not in packaged_accelerators():
            raise AcceleratorError(unknown("accelerator", name_or_path, packaged_accelerators()))
        path = config_directory() / "accelerator" / f"{name_or_path}.yaml"
    description = read_description(path)["accelerator"]
    try:
        return build_accelerator(**description)
    except AcceleratorError as error:
        raise AcceleratorError(f"{path}: {error}") from None


def read_description(path: Path) -> dict[str, Any]:
    """Return what a YAML file holds, the fields of an accelerator under ``accelerator``.

    Raises ``AcceleratorError`` naming the file.
    """
    found = read_mapping(path, AcceleratorError, "'accelerator' and its fields")
    described = found.get("accelerator")
    if not isinstance(described, dict):
        raise AcceleratorError(f"{path}: has no fields under the key 'accelerator'")
    fields = {str(name): value for name, value in described.items() if name != "_target_"}
    return {**found, "accelerator": fields}
