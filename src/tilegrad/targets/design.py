"""A search's result read back: the accelerator, the hardware, the layers and their mappings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tilegrad.accelerator import Accelerator, load_accelerator
from tilegrad.cost.capacity import find_overflows
from tilegrad.cost.nearest import nearest_text
from tilegrad.errors import ConfigError, MappingError
from tilegrad.mapping import Mapping as LoopNest
from tilegrad.mapping import parse_shorthand, stack
from tilegrad.mapping.validity import find_violations
from tilegrad.nest import analyse
from tilegrad.workload import Problem

CONFIG = "config.yaml"

Layers = tuple[tuple[Problem, LoopNest], ...]


@dataclass(frozen=True)
class Design:
    """A design as its result file states it; ``layers`` are problems with their mappings."""

    accelerator: Accelerator
    hardware: Mapping[str, float]
    layers: Layers
    workload: str = "network"


def read_design(path: Path, accelerator: Accelerator) -> Design:
    """Read a result.json (or its directory) of a search on ``accelerator``.

    Raises ``ConfigError`` where it is not one, ``MappingError`` where a mapping is malformed, not
    one of its layer or larger than the hardware.
    """
    file, record = _record(path)
    try:
        hardware = {str(name): float(value) for name, value in record["hardware"].items()}
        written = [
            (layer["name"], layer["problem"], _text(layer["mapping"])) for layer in record["layers"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _not_a_result(file, error) from None
    missing = set(accelerator.parameters) - set(hardware)
    if missing:
        raise ConfigError(f"{file}: hardware lacks {', '.join(sorted(missing))}")
    layers = tuple(
        (Problem.from_fields(name, fields), parse_shorthand(text, accelerator))
        for name, fields, text in written
    )
    if not layers:
        raise ConfigError(f"{file}: layers is empty; legal: at least one layer")
    _check(file, layers, accelerator, hardware)
    return Design(accelerator, hardware, layers, str(record.get("workload", "network")))


def _check(
    file: Path, layers: Layers, accelerator: Accelerator, hardware: Mapping[str, float]
) -> None:
    """Refuse the first layer whose mapping is illegal or does not fit."""
    nests = stack([nest for _, nest in layers])
    bounds, strides = (
        torch.tensor([getattr(problem, sizes) for problem, _ in layers], dtype=torch.float64)
        for sizes in ("bounds", "strides")
    )
    illegal = find_violations(nests, bounds, accelerator)
    for place, broken in illegal.items():
        reasons = "; ".join(violation.reason for violation in broken)
        raise MappingError(f"{file}, layer {layers[place][0].name!r}: {reasons}")
    too_large = find_overflows(analyse(nests, strides, accelerator), accelerator, hardware)
    for place, overflows in too_large.items():
        nearest = nearest_text(nests[place], strides[place], accelerator, hardware)
        raise MappingError(
            f"{file}, layer {layers[place][0].name!r}: {'; '.join(map(str, overflows))}; {nearest}"
        )


def result_accelerator(path: Path) -> Accelerator:
    """Return the accelerator of a search's result, with what the command line changed of it.

    The run's resolved configuration beside result.json describes it; without that file it is the
    packaged one that the result names. Raises ``ConfigError`` or ``AcceleratorError``.
    """
    file, record = _record(path)
    config = file.parent / CONFIG
    if config.exists():
        return load_accelerator(str(config))
    try:
        return load_accelerator(str(record["accelerator"]))
    except KeyError as error:
        raise _not_a_result(file, error) from None


def _record(path: Path) -> tuple[Path, dict[str, Any]]:
    file = path / "result.json" if path.is_dir() else path
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _not_a_result(file, error) from None
    if not isinstance(record, dict):
        raise _not_a_result(file, TypeError(f"a {type(record).__name__}"))
    return file, record


def _text(mapping: object) -> str:
    if not isinstance(mapping, str):
        raise TypeError(f"a mapping is {mapping!r}; legal: text")
    return mapping


def _not_a_result(file: Path, error: Exception) -> ConfigError:
    return ConfigError(f"{file} is not the result of a search ({error!r})")


def layer_directory(number: int, name: str) -> str:
    """Return a layer's name among exported files: its number, then its name in plain letters."""
    return f"{number:03d}_{plain(name)}"


def plain(name: str) -> str:
    """Return a name in letters that files, C and simulators' logs hold unchanged."""
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "_"
        for letter in name
    )
