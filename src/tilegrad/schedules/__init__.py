"""Schedules to learn from: simulated, published, or any user's table."""

from tilegrad.schedules.published import PublishedTable
from tilegrad.schedules.schedules import TARGETS, Finding, Schedules
from tilegrad.schedules.simulated import SimulatedSchedules

__all__ = ["TARGETS", "Finding", "PublishedTable", "Schedules", "SimulatedSchedules"]
