"""Where along a front its designs are searched for: caps on all figures but the first."""

from __future__ import annotations

from itertools import product

import numpy as np


def spaced(least: float, most: float, count: int) -> list[float]:
    """Return ``count`` caps from the least to the most, in equal ratios."""
    return [float(cap) for cap in np.geomspace(least, most, count)]


def grid(ends: dict[str, tuple[float, float]], points: int) -> list[dict[str, float]]:
    """Return about ``points`` sets of caps by figure, the tightest first.

    ``ends``: the least and the most that each figure is of use at.
    """
    each = max(2, round(points ** (1 / len(ends))))
    axes = [spaced(least, most, each) for least, most in ends.values()]
    return [dict(zip(ends, caps, strict=True)) for caps in product(*axes)]
