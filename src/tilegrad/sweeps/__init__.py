"""Sweeps: jobs that leave records, launchers that survive a crash, searches, summaries."""

from tilegrad.sweeps.callback import SweepCallback
from tilegrad.sweeps.summary import Sweep, summarise

__all__ = ["Sweep", "SweepCallback", "summarise"]
