"""Finding a workload: a packaged network by name, or a file or directory by path."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path

from tilegrad.errors import WorkloadError, unknown
from tilegrad.workload.problem import Problem
from tilegrad.workload.tables import read_layer_table, read_networks
from tilegrad.workload.timeloop_yaml import is_timeloop_problem, read_timeloop_workload
from tilegrad.workload.workload import Workload
from tilegrad.yaml_files import YAML_SUFFIXES


def load_workload(
    source: str | None = None,
    path: str | None = None,
    network: str | None = None,
    name: str | None = None,
) -> Workload:
    """Load a packaged network (``source``) or a file or directory (``path``).

    A path may be a layer table (.csv, .yaml, .yml; ``network`` chooses among several), a Timeloop
    problem, or a directory of Timeloop problems. ``name`` renames the workload.
    """
    if (source is None) == (path is None):
        raise WorkloadError(
            f"workload: source={source!r} and path={path!r}: give exactly one of the two "
            f"(source: {', '.join(packaged_networks())}; path: a file or directory)"
        )
    if source is not None:
        _refuse_network(network, f"packaged network {source!r}")
        workload = _packaged_workload(source)
    else:
        workload = _from_path(Path(str(path)), network)
    return replace(workload, name=name) if name else workload


def packaged_networks() -> tuple[str, ...]:
    """Return the names that ``load_workload(source=...)`` knows."""
    return tuple(_packaged())


@cache
def _packaged() -> dict[str, tuple[Problem, ...]]:
    table = resources.files("tilegrad.workload") / "networks.csv"
    with resources.as_file(table) as path:
        return {str(name): layers for name, layers in read_networks(path).items()}


def _packaged_workload(source: str) -> Workload:
    if source not in _packaged():
        raise WorkloadError(unknown("packaged network", source, _packaged(), "workload.source"))
    return Workload(source, _packaged()[source])


def _from_path(path: Path, network: str | None) -> Workload:
    is_yaml = path.suffix.lower() in YAML_SUFFIXES
    if path.is_dir() or (is_yaml and is_timeloop_problem(path)):
        _refuse_network(network, str(path))
        return read_timeloop_workload(path)
    if not path.exists():
        raise WorkloadError(f"{path}: no such file or directory")
    return read_layer_table(path, network)


def _refuse_network(network: str | None, where: str) -> None:
    if network is not None:
        raise WorkloadError(
            f"{where}: network={network!r} is not legal here (legal: null; only a layer table "
            "holds several networks)"
        )
