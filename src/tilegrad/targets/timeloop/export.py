"""A search's result as Timeloop input files, one directory per layer."""

from __future__ import annotations

from pathlib import Path

from tilegrad.accelerator import Accelerator
from tilegrad.errors import ConfigError, unknown
from tilegrad.mapping.covers import covered, padding_text
from tilegrad.targets.design import Design, layer_directory, read_design
from tilegrad.targets.timeloop.architecture import architecture, energy_tables
from tilegrad.targets.timeloop.nests import DIALECTS, mapping_directives
from tilegrad.targets.timeloop.problems import problem_document
from tilegrad.targets.timeloop.tagged import write_yaml

_README = """\
# Timeloop input, version {dialect}

`architecture.yaml`{tables} belong to all layers; each directory holds a layer's
`problem.yaml` and `mapping.yaml`. Layers: {layers}.

To evaluate a layer's mapping:

{command}

Then `timeloop-model.stats.txt` ends with the layer's cycles and energy.
{padded}"""

_PADDED = """
Padded layers, whose problems are what their mappings cover: {layers}.
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
    directories: list[Path] = []
    padded: list[str] = []
    for number, (problem, mapping) in enumerate(design.layers):
        directory = out / layer_directory(number, problem.name)
        directory.mkdir(exist_ok=True)
        document = problem_document(covered(problem, mapping), dialect)
        write_yaml(directory / "problem.yaml", document)
        if added := padding_text(problem, mapping):
            padded.append(f"{directory.name} ({added})")
        there = accelerator.running(problem.shape)
        directives = mapping_directives(mapping, there, dialect)
        write_yaml(directory / "mapping.yaml", {"mapping": directives})
        directories.append(directory)
    (out / "README.md").write_text(_readme(dialect, directories, padded), encoding="utf-8")
    return directories


def _readme(dialect: str, directories: list[Path], padded: list[str]) -> str:
    names = [directory.name for directory in directories]
    run = _RUN_03 if dialect == "0.3" else _RUN_04
    return _README.format(
        dialect=dialect,
        tables=", `ERT.yaml` and `ART.yaml`" if dialect == "0.3" else "",
        layers=", ".join(names),
        command=run.format(layer=names[0] if names else "LAYER"),
        padded=_PADDED.format(layers=", ".join(padded)) if padded else "",
    )
