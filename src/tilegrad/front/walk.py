"""Where along a front its designs are searched for: caps on all figures but the first."""

from __future__ import annotations

from itertools import product

import numpy as np

Caps = dict[str, float]


def spaced(least: float, most: float, count: int) -> list[float]:
    """Return ``count`` caps from the least to the most, in equal ratios."""
    return [float(cap) for cap in np.geomspace(least, most, count)]


def waves(ends: dict[str, tuple[float, float]], points: int) -> list[list[Caps]]:
    """Return about ``points`` sets of caps by figure: first the ends, then halves, quarters, ...

    Those of one wave need only what the waves before it found, whose caps lie on both sides of
    theirs; within a wave the tightest first. ``ends``: the least and the most that each figure is
    of use at; the most of all of them, which is no cap, is left out.
    """
    each = max(2, round(points ** (1 / len(ends))))
    steps = list(zip(halved(each), range(each), strict=True))
    axes = [spaced(least, most, each) for least, most in ends.values()]
    found: list[list[Caps]] = [[] for _ in range(max(halved(each)) + 1)]
    for chosen in product(steps, repeat=len(ends)):
        places = [place for _, place in chosen]
        if min(places) < each - 1:
            wave = max(wave for wave, _ in chosen)
            caps = (axis[place] for axis, place in zip(axes, places, strict=True))
            found[wave].append(dict(zip(ends, caps, strict=True)))
    return found


def halved(count: int) -> list[int]:
    """Return how often the places from 0 to ``count - 1`` are halved until each is an end."""
    found = [0] * count

    def between(low: int, high: int, depth: int) -> None:
        if high - low > 1:
            middle = (low + high) // 2
            found[middle] = depth
            between(low, middle, depth + 1)
            between(middle, high, depth + 1)

    between(0, count - 1, 1)
    return found
