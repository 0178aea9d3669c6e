"""A layer's loops and tiles in log space, where every product is a sum over prime factors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import log

import numpy as np
from numpy.typing import NDArray

from tilegrad.mapping.space import TEMPORAL, MapSpace, Slot
from tilegrad.shape import ROLES, Axis
from tilegrad.workload import Problem

Floats = NDArray[np.float64]


def prime_factors(bound: int) -> Counter[int]:
    """Return how often each prime divides a bound."""
    found: Counter[int] = Counter()
    prime = 2
    while prime * prime <= bound:
        while bound % prime == 0:
            found[prime] += 1
            bound //= prime
        prime += 1
    if bound > 1:
        found[bound] += 1
    return found


@dataclass(frozen=True)
class Count:
    """How many of a dim's prime factors of one kind, of ``most``, are in one place."""

    slot: Slot
    prime: int
    most: int


@dataclass(frozen=True)
class LayerLogs:
    """One layer: its counts, and what logarithms of loops and tiles are as rows over them.

    CoSA places each prime factor by a binary variable of its own; equal ones are told apart by
    nothing, so that here one integer counts them.
    """

    space: MapSpace
    problem: Problem

    @cached_property
    def counts(self) -> tuple[Count, ...]:
        """The integer variables; places are the mapspace's, and the outermost level's loops."""
        outermost = len(self.space.accelerator.levels) - 1
        return tuple(
            Count(slot, prime, most)
            for dim, bound in enumerate(self.problem.bounds)
            for prime, most in sorted(prime_factors(bound).items())
            for slot in (
                *(self.space.slots[index] for index in self.space.slots_of[dim]),
                Slot(outermost, TEMPORAL, dim),
            )
        )

    def row(self, weight: Callable[[Slot], float]) -> Floats:
        """Return the sum of all loops' logarithms, each times the ``weight`` of its place."""
        return np.array([weight(each.slot) * log(each.prime) for each in self.counts])

    def temporal(self, level: int, dims: frozenset[int] | None = None) -> Floats:
        """Return the logarithm of a level's temporal loops, or of those over ``dims``."""
        return self.row(
            lambda slot: (
                slot.level == level and slot.axis == TEMPORAL and (dims is None or slot.dim in dims)
            )
        )

    @cached_property
    def steps(self) -> Floats:
        """The logarithm of all temporal loops: how long the arithmetic takes."""
        return self.row(lambda slot: slot.axis == TEMPORAL)

    def width(self, level: int, axis: int) -> Floats:
        """Return the logarithm of the loops along a mesh axis."""
        return self.row(lambda slot: slot.level == level and slot.axis == axis)

    def tile(self, role: str, level: int) -> Floats:
        """Return about the logarithm of a tensor's tile at a level."""
        return self.row(lambda slot: slot.level <= level and self.moves(role, slot.dim))

    def apart(self, role: str, level: int) -> Floats:
        """Return the logarithm of how many instances of a level get other words of a tensor."""
        return self.row(
            lambda slot: slot.level > level and slot.axis != TEMPORAL and self.moves(role, slot.dim)
        )

    def moves(self, role: str, dim: int) -> float:
        """Return the power of a dim's factor that a tensor's tile grows with; 0 where it does not.

        1, but for sliding axes: their dims' powers are those by which an axis grows to its whole
        length along the longer dim, and then beside it along the shorter one.
        """
        return self._powers[role].get(dim, 0.0)

    @cached_property
    def _powers(self) -> dict[str, dict[int, float]]:
        powers: dict[str, dict[int, float]] = {}
        for role in ROLES:
            powers[role] = {}
            for axis in self.problem.shape.tensor(role):
                powers[role] |= self._along(axis)
        return powers

    def _along(self, axis: Axis) -> dict[int, float]:
        shape, bounds = self.problem.shape, self.problem.bounds
        given = dict(zip(shape.coefficients, self.problem.strides, strict=True))
        reach = {
            term.dim: given.get(str(term.coefficient), term.coefficient) * (bounds[term.dim] - 1)
            for term in axis.terms
        }
        powers, length = {}, 1
        for dim in sorted(reach, key=lambda dim: -int(reach[dim])):
            longer = length + int(reach[dim])
            grows = bounds[dim] > 1
            powers[dim] = log(longer / length) / log(bounds[dim]) if grows else 0.0
            length = longer
        return powers

    @cached_property
    def kept(self) -> tuple[tuple[int, str], ...]:
        """Levels on chip with each tensor that they keep."""
        levels = self.space.accelerator.levels[:-1]
        pairs = product(enumerate(levels), ROLES)
        return tuple((index, role) for (index, level), role in pairs if role in level.keeps)

    def next_loops(self, level: int) -> int:
        """Return the first level outside of one that may have temporal loops of this layer."""
        places = {c.slot.level for c in self.counts if c.slot.axis == TEMPORAL}
        outermost = len(self.space.accelerator.levels) - 1
        return min((place for place in places if place > level), default=outermost)
