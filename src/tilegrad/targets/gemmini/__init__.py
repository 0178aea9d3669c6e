"""Gemmini: its generator's configuration, its C library's programs, its simulators' logs."""

from tilegrad.targets.gemmini.export import export_gemmini
from tilegrad.targets.gemmini.logs import parse_logs

__all__ = ["export_gemmini", "parse_logs"]
