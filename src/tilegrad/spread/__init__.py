"""Where searches that do not need each other run: one after the other, in processes, or on Ray."""

from tilegrad.spread.spread import Here, InProcesses, OnRay, Spread, with_workers

__all__ = ["Here", "InProcesses", "OnRay", "Spread", "with_workers"]
