"""What several seeds of one search tell: their geometric mean, and an interval of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, variance

LEVEL = 0.95
"""Of the intervals, by Student's distribution over the logs."""


def geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean; a single value as it is."""
    return values[0] if len(values) == 1 else math.exp(fmean(map(math.log, values)))


def interval(values: Sequence[float], others: Sequence[float] = (1.0,)) -> tuple[float, float]:
    """Return the ends of the interval of the ratio of two geometric means, ``values`` on top.

    A group of one value counts as exact; the degrees of freedom are the smaller group's.
    """
    varied = [group for group in (values, others) if len(group) > 1]
    ratio = geometric_mean(values) / geometric_mean(others)
    if not varied:
        return ratio, ratio
    # Imported here: it takes half a second.
    from scipy.stats import t

    error = math.sqrt(sum(variance(map(math.log, each)) / len(each) for each in varied))
    freedom = min(map(len, varied)) - 1
    factor = math.exp(float(t.ppf((1 + LEVEL) / 2, freedom)) * error)
    return ratio / factor, ratio * factor
