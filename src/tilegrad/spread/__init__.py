"""Where searches that do not need each other run: here, one after the other, or on Ray."""

from tilegrad.spread.spread import Here, OnRay, Spread, with_workers

__all__ = ["Here", "OnRay", "Spread", "with_workers"]
