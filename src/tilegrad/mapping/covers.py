"""Padded factorisations: factors whose product reaches a bound that they need not divide.

The machine then runs the covered bound, the smallest that the factors make. A cover is worth
proposing where no factor could be smaller; every perfect factorisation is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from math import prod

from tilegrad.mapping.factors import divisors, factorisations
from tilegrad.mapping.loopnest import LoopNest
from tilegrad.workload import Problem

WHOLE = 1024
"""Bounds up to which every cover is proposed. A larger bound's covers are the factorisations of the
bound and of what it makes when rounded up to a few significant bits."""

BITS = range(3, 9)
"""Significant bits to which larger bounds are rounded up."""


def ceil_div(bound: int, factor: int) -> int:
    """Return how many tiles of ``factor`` cover a bound."""
    return -(-bound // factor)


def is_cover(bound: int, factors: tuple[int, ...]) -> bool:
    """Return whether all factors of a dim cover its bound, and none could be smaller."""
    covered = prod(factors)
    return covered >= bound and all(
        covered // factor * (factor - 1) < bound for factor in factors if factor > 1
    )


def is_awkward(bound: int, widths: tuple[int, ...]) -> bool:
    """Return whether perfect factors of a bound waste a mesh of some width, or tile it coarsely.

    They waste a mesh that would take fewer steps than their largest divisor does, and are coarse
    where some divisor is more than twice the one before.
    """
    found = divisors(bound)
    if any(larger > 2 * smaller for smaller, larger in pairwise(found)):
        return True
    return any(
        ceil_div(bound, width) < bound // max(d for d in found if d <= width) for width in widths
    )


def covers(bound: int, limits: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return the choices of one factor per slot that are worth proposing, ascending.

    ``limits`` caps each slot's factor; the outermost level repeats them as often as the bound asks.
    Raises ``InfeasibleError`` as ``factorisations`` does.
    """
    if bound <= WHOLE:
        return tuple(_covers(bound, limits))
    found: dict[tuple[int, ...], None] = {}
    for near in _rounded(bound):
        for choice in factorisations(near, limits):
            if is_cover(bound, (*choice, ceil_div(bound, prod(choice)))):
                found[choice] = None
    return tuple(sorted(found))


@cache
def quotients(bound: int) -> tuple[int, ...]:
    """Return the factors that can be part of a cover: what some count of tiles makes of a bound.

    Ascending; each is the least that covers the bound as often as it does.
    """
    return tuple(sorted({ceil_div(bound, tiles) for tiles in range(1, bound + 1)}))


def _covers(bound: int, limits: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield every choice that is part of a cover, slot by slot."""
    rows: list[tuple[tuple[int, ...], int]] = [((), 1)]
    for limit in limits:
        rows = [
            ((*chosen, factor), size * factor)
            for chosen, size in rows
            for factor in quotients(ceil_div(bound, size))
            if factor <= limit
        ]
    for chosen, size in rows:
        if is_cover(bound, (*chosen, ceil_div(bound, size))):
            yield chosen


def _rounded(bound: int) -> list[int]:
    """Return a bound, and what rounding it up to a few significant bits makes of it."""
    units = [1 << max(0, bound.bit_length() - bits) for bits in BITS]
    return sorted({bound, *(ceil_div(bound, unit) * unit for unit in units)})


def covered(problem: Problem, nest: LoopNest) -> Problem:
    """Return the problem that a mapping ``[level, dim]`` runs: a padded one has larger bounds."""
    return replace(problem, bounds=tuple(int(bound) for bound in nest.bounds().tolist()))


def padding_text(problem: Problem, nest: LoopNest) -> str:
    """Return what a mapping ``[level, dim]`` adds to its problem, as ``P 15 as 16``; or nothing."""
    sizes = zip(problem.shape.dims, problem.bounds, covered(problem, nest).bounds, strict=True)
    return ", ".join(f"{dim} {own} as {runs}" for dim, own, runs in sizes if own != runs)
