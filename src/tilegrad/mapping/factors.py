"""Perfect factorisations of a bound over an ordered set of slots."""

from __future__ import annotations

from functools import cache
from math import isqrt

import numpy as np

from tilegrad.errors import InfeasibleError

MOST = 1_000_000
"""Factorisations of one bound that are held, a few hundred MB: four times as many as the packaged
networks and accelerators need at most."""

_AT_ONCE = 1 << 20
"""Numbers that are tried as divisors together."""


@cache
def divisors(bound: int) -> tuple[int, ...]:
    """Return the divisors of ``bound`` (up to 2**53), ascending."""
    small: list[int] = []
    for start in range(1, isqrt(bound) + 1, _AT_ONCE):
        tried = np.arange(start, min(start + _AT_ONCE, isqrt(bound) + 1), dtype=np.int64)
        small += tried[bound % tried == 0].tolist()
    return tuple(small + [bound // d for d in reversed(small) if d * d != bound])


@cache
def count_factorisations(bound: int, limits: tuple[int, ...]) -> int:
    """Return how many choices ``factorisations`` has, without making them."""
    if not limits:
        return 1
    return sum(
        count_factorisations(bound // first, limits[1:])
        for first in divisors(bound)
        if first <= limits[0]
    )


def factorisations(bound: int, limits: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return every choice of one factor per slot whose product divides ``bound``.

    ``limits`` caps each slot's factor; what is left of the bound goes to the outermost level.
    Raises ``InfeasibleError`` where the choices are more than ``MOST``.
    """
    if (count := count_factorisations(bound, limits)) > MOST:
        raise InfeasibleError(
            f"a bound of {bound} splits over {len(limits)} loops in {count:,} ways; legal: "
            f"a bound with at most {MOST:,}, which has fewer or smaller divisors"
        )
    return _factorisations(bound, limits)


@cache
def _factorisations(bound: int, limits: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    if not limits:
        return ((),)
    return tuple(
        (first, *rest)
        for first in divisors(bound)
        if first <= limits[0]
        for rest in _factorisations(bound // first, limits[1:])
    )
