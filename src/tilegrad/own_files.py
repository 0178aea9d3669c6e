"""Groups' options that lie in files of the user's own: ``accelerator=FILE.yaml``.

Hydra finds options by name in its search path. A file that an override names is read, completed,
checked and put into Hydra's store of configs, under its absolute path.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig

from tilegrad.checks import CAPPED, known_fields, section
from tilegrad.errors import AcceleratorError, ConfigError
from tilegrad.yaml_files import YAML_SUFFIXES, read_mapping

GROUPS = ("accelerator", "designs", "model", "strategy", "target")
"""Groups whose option may be a file."""


def names_file(group: str, value: str) -> bool:
    """Return whether the value of an override has a file where options of packaged ones stand."""
    return group in GROUPS and any(map(_is_file, _elements(value)))


def own_options(group: str, value: str) -> list[str]:
    """Have Hydra know the files in an override's value; return the names of the options.

    A sweep may name several. Raises ``ConfigError`` or ``AcceleratorError`` naming the file and
    the field.
    """
    return [_stored(group, text) if _is_file(text) else text for text in _elements(value)]


def chosen_file(group: str) -> str | None:
    """Return the file that the job at work has for a group's option; None where it has none."""
    if group not in GROUPS or not HydraConfig.initialized():
        return None
    chosen = str(HydraConfig.get().runtime.choices.get(group))
    return chosen if chosen.startswith("/") else None


def _elements(value: str) -> list[str]:
    """Return what a sweep over an option goes through, without quotes."""
    listed = [value] if Path(value).is_file() else value.split(",")
    return [text.strip().strip("'\"") for text in listed]


def _is_file(value: str) -> bool:
    named = value.lower().endswith(YAML_SUFFIXES)
    return named or ("/" in value and Path(value).is_file())


def _stored(group: str, value: str) -> str:
    """Store one file as an option, named after its absolute path: no packaged one has that."""
    path = Path(value).absolute()
    node, package = _READERS.get(group, _target)(path), _PACKAGES.get(group)
    folder = "/".join((group, *path.parts[1:-1]))
    ConfigStore.instance().store(path.name, node, group=folder, package=package)
    return path.as_posix()


def _accelerator(path: Path) -> dict[str, Any]:
    """Return the config that a description stands for: all sizes free where it fixes none."""
    # Few commands name such a file, and all wait for this module.
    from tilegrad.accelerator.build import build_accelerator
    from tilegrad.accelerator.library import read_description

    found = read_description(path)
    try:
        known_fields("", found, ("accelerator", "hardware", "caps"))
        sizes = tuple(build_accelerator(**found["accelerator"]).parameters)
        hardware = section("hardware", found.get("hardware") or {}, sizes)
        caps = section("caps", found.get("caps") or {}, (*sizes, "area_mm2", *CAPPED))
    except (AcceleratorError, ConfigError) as error:
        raise type(error)(f"{path}: {error}") from None
    accelerator = {"_target_": "tilegrad.accelerator.build_accelerator", **found["accelerator"]}
    return {"accelerator": accelerator, "hardware": hardware, "caps": caps}


def _designs(path: Path) -> dict[str, Any]:
    """Return designs that ``compare`` sets against each other."""
    found = read_mapping(path, ConfigError, "designs and their reference")
    try:
        known_fields("", found, ("designs", "reference", "shared"))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return found


def _target(path: Path) -> dict[str, Any]:
    """Return the fields of an option that says by ``_target_`` what it makes."""
    found = read_mapping(path, ConfigError, "_target_ and its fields")
    if "defaults" in found:
        raise ConfigError(
            f"{path}: defaults are of files in a --config-dir; legal here: _target_ and its fields"
        )
    if not isinstance(found.get("_target_"), str):
        raise ConfigError(
            f"{path}: field _target_ is {found.get('_target_')!r}; legal: the class that the "
            "other fields are of, as in the packaged options"
        )
    return found


_READERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "accelerator": _accelerator,
    "designs": _designs,
}

_PACKAGES = dict.fromkeys(_READERS, "_global_")
"""Groups whose options set fields beside the group's own."""
