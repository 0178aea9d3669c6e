"""A search's result as Timeloop input files, one directory per layer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilegrad.accelerator import Accelerator
from tilegrad.errors import ConfigError, unknown
from tilegrad.mapping import Mapping as LoopNest
from tilegrad.mapping import parse_shorthand
from tilegrad.targets.timeloop.architecture import architecture, energy_tables
from tilegrad.targets.timeloop.nests import DIALECTS, mapping_directives
from tilegrad.targets.timeloop.problems import problem_document
from tilegrad.targets.timeloop.tagged import write_yaml
from tilegrad.workload import Problem

_README = """\
# Timeloop input, version {dialect}

`architecture.yaml`{tables} belong to all layers; each directory holds a layer's
`problem.yaml` and `mapping.yaml`. Layers: {layers}.

To evaluate a layer's mapping:

{command}

Then `timeloop-model.stats.txt` ends with the layer's cycles and energy.
"""

_RUN_03 = """\
    cd {layer}
    timeloop-model ../architecture.yaml ../ERT.yaml ../ART.yaml problem.yaml mapping.yaml

With the two tables, energies and areas are those of the design's own cost model; leave them out
and Accelergy is asked for its own."""

_RUN_04 = """\
    python3 -c "import timeloopfe.v4 as tl; tl.call_model(tl.Specification.from_yaml_files(
        'architecture.yaml', '{layer}/problem.yaml', '{layer}/mapping.yaml'), '{layer}')"

Energies and areas come from Accelergy."""


@dataclass(frozen=True)
class Design:
    """A design as its result file states it; ``layers`` are problems with their mappings."""

    accelerator: Accelerator
    hardware: Mapping[str, float]
    layers: tuple[tuple[Problem, LoopNest], ...]


def read_design(path: Path, accelerator: Accelerator) -> Design:
    """Read a result.json (or its directory) of a search on ``accelerator``.

    Raises ``ConfigError`` where it is not one, ``MappingError`` where a mapping is malformed.
    """
    file = path / "result.json" if path.is_dir() else path
    try:
        record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        hardware = {str(name): float(value) for name, value in record["hardware"].items()}
        written = [
            (layer["name"], layer["problem"], layer["mapping"]) for layer in record["layers"]
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{file} is not the result of a search ({error!r})") from None
    missing = set(accelerator.parameters) - set(hardware)
    if missing:
        raise ConfigError(f"{file}: hardware lacks {', '.join(sorted(missing))}")
    layers = tuple(
        (Problem.from_fields(name, fields), parse_shorthand(text, accelerator))
        for name, fields, text in written
    )
    return Design(accelerator, hardware, layers)


def export_result(path: Path, accelerator: Accelerator, dialect: str, out: Path) -> list[Path]:
    """Write the Timeloop input of every layer of a result under ``out``; return the directories.

    Raises ``ConfigError`` for an unknown dialect and as ``read_design`` does.
    """
    if dialect not in DIALECTS:
        raise ConfigError(unknown("dialect", dialect, DIALECTS))
    return export_design(read_design(path, accelerator), dialect, out)


def export_design(design: Design, dialect: str, out: Path) -> list[Path]:
    """Write ``architecture.yaml``, for 0.3 the tables, and a directory per layer."""
    out.mkdir(parents=True, exist_ok=True)
    accelerator, hardware = design.accelerator, design.hardware
    write_yaml(out / "architecture.yaml", architecture(accelerator, hardware, dialect))
    if dialect == "0.3":
        for name, table in energy_tables(accelerator, hardware).items():
            write_yaml(out / f"{name}.yaml", table)
    directories = []
    for number, (problem, mapping) in enumerate(design.layers):
        directory = out / f"{number:03d}_{_safe(problem.name)}"
        directory.mkdir(exist_ok=True)
        write_yaml(directory / "problem.yaml", problem_document(problem, dialect))
        directives = mapping_directives(mapping, accelerator, dialect)
        write_yaml(directory / "mapping.yaml", {"mapping": directives})
        directories.append(directory)
    (out / "README.md").write_text(_readme(dialect, directories), encoding="utf-8")
    return directories


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)


def _readme(dialect: str, directories: list[Path]) -> str:
    names = [directory.name for directory in directories]
    run = _RUN_03 if dialect == "0.3" else _RUN_04
    return _README.format(
        dialect=dialect,
        tables=", `ERT.yaml` and `ART.yaml`" if dialect == "0.3" else "",
        layers=", ".join(names),
        command=run.format(layer=names[0] if names else "LAYER"),
    )
