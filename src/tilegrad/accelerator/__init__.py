"""Accelerators: levels, hardware parameters, energy tables."""

from tilegrad.accelerator.accelerator import (
    COUNTINGS,
    Accelerator,
    Arithmetic,
    Parameter,
)
from tilegrad.accelerator.build import build_accelerator
from tilegrad.accelerator.digest import accelerator_digest
from tilegrad.accelerator.energy import ENERGY_TABLES, EnergyTable, PatTable
from tilegrad.accelerator.level import ACCESSES, AXES, Fanout, Level
from tilegrad.accelerator.library import load_accelerator, packaged_accelerators

__all__ = [
    "ACCESSES",
    "AXES",
    "COUNTINGS",
    "ENERGY_TABLES",
    "Accelerator",
    "Arithmetic",
    "EnergyTable",
    "Fanout",
    "Level",
    "Parameter",
    "PatTable",
    "accelerator_digest",
    "build_accelerator",
    "load_accelerator",
    "packaged_accelerators",
]
