"""Timeloop problem files: flat, with an ``instance``, and the 0.4 form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tilegrad.errors import WorkloadError, unknown
from tilegrad.workload.files import Located, expect_mapping, load_yaml
from tilegrad.workload.problem import Problem
from tilegrad.workload.timeloop_shape import TimeloopShape, read_timeloop_shape
from tilegrad.workload.workload import Workload
from tilegrad.yaml_files import YAML_SUFFIXES

VERSIONS = ("0.2", "0.3", "0.4")
_OUTER = ("version", "shape", "instance")


def read_timeloop_problem(path: str | Path) -> Problem:
    """Read one Timeloop problem, named after its file.

    The bounds stand under ``problem`` itself or under ``problem.instance``; an inline ``shape`` may
    be any of two operands and a result; no shape means Timeloop's ``cnn-layer``. A
    ``WorkloadError`` names the file, the line and the field.
    """
    path = Path(path)
    problem = _problem(path)
    stated = read_timeloop_shape(problem.get("shape"), f"{path}, field shape")
    fields = _instance(problem, str(path))
    where = f"{path}, line {fields.line}"
    named = _renamed(fields, stated, where)
    return Problem.from_fields(path.stem, named, where=where, shape=stated.shape)


def timeloop_names(path: Path) -> TimeloopShape:
    """Return the shape of a problem file, with the names that its mappings use."""
    return read_timeloop_shape(_problem(path).get("shape"), f"{path}, field shape")


def _problem(path: Path) -> Located:
    document = load_yaml(path)
    problem = document.get("problem") if isinstance(document, Located) else None
    if not isinstance(problem, Located):
        raise WorkloadError(
            f"{path}: not a Timeloop problem (legal: a mapping under the key 'problem')"
        )
    return problem


def read_timeloop_workload(
    source: str | Path | Sequence[str | Path], name: str | None = None
) -> Workload:
    """Stack the problems of a file, of several files or of a directory (in order of file name)."""
    if isinstance(source, str | Path):
        path = Path(source)
        name = name or (path.name if path.is_dir() else path.stem)
        source = _problem_files(path)
    return Workload(name or "timeloop", tuple(read_timeloop_problem(file) for file in source))


def is_timeloop_problem(path: Path) -> bool:
    """Return whether a YAML file holds a Timeloop problem rather than a layer table."""
    document = load_yaml(path)
    return isinstance(document, Located) and "problem" in document


def _problem_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in YAML_SUFFIXES)
    if not files:
        raise WorkloadError(f"{path}: no Timeloop problems in the directory (legal: *.yaml, *.yml)")
    return files


def _instance(problem: Located, where: str) -> Located:
    """Return the mapping that holds the bounds, without the keys that are not bounds."""
    if "version" in problem and str(problem["version"]) not in VERSIONS:
        raise WorkloadError(unknown("version", problem["version"], VERSIONS, where))
    flat = Located({key: value for key, value in problem.items() if key not in _OUTER})
    flat.line = problem.line
    if "instance" not in problem:
        return flat
    for key in flat:
        raise WorkloadError(unknown("key beside 'instance'", key, _OUTER, where))
    return expect_mapping(problem["instance"], f"{where}, field instance")


def _renamed(fields: Located, stated: TimeloopShape, where: str) -> dict[str, object]:
    """Return the fields under this project's names, with the shape's defaults filled in."""
    for field in fields:
        if field not in stated.fields:
            raise WorkloadError(unknown("field", field, stated.fields, where))
    named = {stated.dims.get(field, field): value for field, value in fields.items()}
    return {**stated.defaults, **named}
