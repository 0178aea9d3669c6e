"""Sweeps: jobs that leave records, launchers that survive a crash, searches, summaries."""

from tilegrad.sweeps.callback import SweepCallback

__all__ = ["SweepCallback"]
