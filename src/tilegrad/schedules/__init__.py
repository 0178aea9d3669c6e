"""Schedules to learn from: simulated, published, or any user's table."""

from tilegrad.schedules.published import PublishedTable
from tilegrad.schedules.schedules import TARGETS, Finding, Schedules
from tilegrad.schedules.simulated import SimulatedSchedules
from tilegrad.schedules.source import Source, load_shown
from tilegrad.schedules.tables import TableFile

__all__ = [
    "TARGETS",
    "Finding",
    "PublishedTable",
    "Schedules",
    "SimulatedSchedules",
    "Source",
    "TableFile",
    "load_shown",
]
