"""Timeloop: architectures, problems and mappings as its YAML, both ways; running it."""

from tilegrad.targets.timeloop.compare import TimeloopTarget
from tilegrad.targets.timeloop.export import export_result
from tilegrad.targets.timeloop.imports import import_files
from tilegrad.targets.timeloop.nests import DIALECTS, mapping_directives, read_directives

__all__ = [
    "DIALECTS",
    "TimeloopTarget",
    "export_result",
    "import_files",
    "mapping_directives",
    "read_directives",
]
