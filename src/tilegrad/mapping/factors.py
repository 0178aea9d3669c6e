"""Perfect factorisations of a bound over an ordered set of slots."""

from __future__ import annotations

from functools import cache


@cache
def divisors(bound: int) -> tuple[int, ...]:
    """Return the divisors of ``bound``, ascending."""
    small = [d for d in range(1, int(bound**0.5) + 1) if bound % d == 0]
    return tuple(small + [bound // d for d in reversed(small) if d * d != bound])


@cache
def factorisations(bound: int, limits: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return every choice of one factor per slot whose product divides ``bound``.

    ``limits`` caps each slot's factor; what is left of the bound goes to the outermost level.
    """
    if not limits:
        return ((),)
    return tuple(
        (first, *rest)
        for first in divisors(bound)
        if first <= limits[0]
        for rest in factorisations(bound // first, limits[1:])
    )
