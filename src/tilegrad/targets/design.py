"""A search's result read back: the accelerator, the hardware, the layers and their mappings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from tilegrad.accelerator import Accelerator, load_accelerator
from tilegrad.accelerator.possible import check_possible
from tilegrad.cost.capacity import find_overflows
from tilegrad.cost.nearest import nearest_text
from tilegrad.errors import ConfigError, MappingError
from tilegrad.mapping import LoopNest, parse_shorthand, stack
from tilegrad.nest import analyse_layers, find_layer_violations
from tilegrad.record import read_design_record, result_file
from tilegrad.workload import Problem, stacks_of

CONFIG = "config.yaml"

Layers = tuple[tuple[Problem, LoopNest], ...]


@dataclass(frozen=True)
class Design:
    """A design as its result file states it; ``layers`` are problems with their mappings.

    ``calls``: of each layer as in the record, or none of all.
    """

    accelerator: Accelerator
    hardware: Mapping[str, float]
    layers: Layers
    workload: str = "network"
    calls: tuple[str | None, ...] = ()

    def call(self, number: int) -> str | None:
        """Return the call of a machine's library that a layer's mapping stands for, if it does."""
        return self.calls[number] if self.calls else None


def read_design(path: Path, accelerator: Accelerator) -> Design:
    """Read a result.json (or its directory) of a search on ``accelerator``.

    Raises ``DataError`` where it is not one, ``ConfigError`` where the hardware is another's or
    makes no accelerator, ``MappingError`` where a mapping is malformed, not one of its layer or
    larger than the hardware.
    """
    record, file = read_design_record(path), result_file(path)
    missing = set(accelerator.parameters) - set(record.hardware)
    if missing:
        raise ConfigError(f"{file}: hardware lacks {', '.join(sorted(missing))}")
    check_possible(accelerator, record.hardware, str(file))
    layers = tuple(
        (layer.problem, parse_shorthand(layer.mapping, accelerator.running(layer.problem.shape)))
        for layer in record.layers
    )
    _check(file, layers, accelerator, record.hardware)
    calls = tuple(layer.call for layer in record.layers)
    return Design(accelerator, record.hardware, layers, record.workload, calls)


def _check(
    file: Path, layers: Layers, accelerator: Accelerator, hardware: Mapping[str, float]
) -> None:
    """Refuse the first layer whose mapping is illegal or does not fit."""
    nests = stack([nest for _, nest in layers])
    stacks = stacks_of([problem for problem, _ in layers])
    illegal = find_layer_violations(nests, stacks, accelerator)
    for place, broken in illegal.items():
        reasons = "; ".join(violation.reason for violation in broken)
        raise MappingError(f"{file}, layer {layers[place][0].name!r}: {reasons}")
    nest = analyse_layers(nests, stacks, accelerator)
    for place, overflows in find_overflows(nest, accelerator, hardware).items():
        problem, found = layers[place]
        strides = torch.tensor(problem.strides, dtype=torch.float64)
        nearest = nearest_text(found, strides, accelerator.running(problem.shape), hardware)
        raise MappingError(
            f"{file}, layer {layers[place][0].name!r}: {'; '.join(map(str, overflows))}; {nearest}"
        )


def result_accelerator(path: Path) -> Accelerator:
    """Return the accelerator of a search's result, with what the command line changed of it.

    The run's resolved configuration beside result.json describes it; without that file it is the
    packaged one that the result names. Raises ``DataError`` or ``AcceleratorError``.
    """
    record = read_design_record(path)
    config = result_file(path).parent / CONFIG
    return load_accelerator(str(config) if config.exists() else record.accelerator)


def layer_directory(number: int, name: str) -> str:
    """Return a layer's name among exported files: its number, then its name in plain letters."""
    return f"{number:03d}_{plain(name)}"


def plain(name: str) -> str:
    """Return a name in letters that files, C and simulators' logs hold unchanged."""
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "_"
        for letter in name
    )
