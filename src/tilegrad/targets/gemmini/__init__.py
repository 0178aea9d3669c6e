"""Gemmini: its generator's configuration, its C library's programs, its simulators' logs."""

from tilegrad.targets.gemmini.export import export_gemmini
from tilegrad.targets.gemmini.logs import parse_logs
from tilegrad.targets.gemmini.strategy import LibraryStrategy
from tilegrad.targets.gemmini.target import GemminiTarget

__all__ = ["GemminiTarget", "LibraryStrategy", "export_gemmini", "parse_logs"]
