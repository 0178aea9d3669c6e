"""Wall and processor time of a piece of work."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from time import perf_counter, process_time

Times = tuple[float, float]
"""Seconds on the wall, and of all processors."""


def timed(work: Callable[[], object]) -> Times:
    """Return the seconds that the work takes."""
    wall, processor = perf_counter(), process_time()
    work()
    return perf_counter() - wall, process_time() - processor


def median_times(work: Callable[[], object], repeats: int) -> Times:
    """Return the medians over ``repeats``, after one run that is not counted."""
    work()
    return medians([timed(work) for _ in range(repeats)])


def medians(times: Sequence[Times]) -> Times:
    """Return the median of either."""
    wall, processor = zip(*times, strict=True)
    return statistics.median(wall), statistics.median(processor)
