"""One layer on fixed hardware, as numbers for the kernels: what each level keeps, holds and costs.

Everything here is read from the accelerator, the layer's shape and the energy table; what loops
cost is defined by the loop-nest analysis (``tilegrad.nest``), which the kernels restate for partial
mappings and tests compare them with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import floor, inf, prod

import numpy as np

from tilegrad.accelerator import ACCESSES, AXES, Accelerator
from tilegrad.accelerator.expression import values
from tilegrad.errors import ConfigError
from tilegrad.mapping.factors import divisors
from tilegrad.mapping.space import TEMPORAL, MapSpace
from tilegrad.shape import OUTPUTS, ROLES
from tilegrad.workload import Problem

Array = np.ndarray

MOST_EXTENTS = 1_000_000
"""Tile extents of a layer (a divisor of each bound) that are tabulated."""

MOST_BOUND = 1 << 22
"""Bounds whose divisors are tabulated."""

MOST_KEEPERS = 2
"""Levels whose overlapping tiles are followed at once."""

PLAIN, STILL = 0, -1
"""How a loop moves the sliding tensor: along a plain axis, not at all (else the axis' number)."""


@dataclass(frozen=True)
class Rules:
    """A layer of bounds above 1 on an accelerator whose sizes are all given by ``hardware``."""

    accelerator: Accelerator
    problem: Problem
    hardware: Mapping[str, float]

    @cached_property
    def machine(self) -> Accelerator:
        """The accelerator with its levels' dims in those of the layer's shape."""
        return self.accelerator.running(self.problem.shape)

    @cached_property
    def dims(self) -> tuple[int, ...]:
        """The dims with a bound above 1; where none has, the first one."""
        return tuple(dim for dim, bound in enumerate(self.problem.bounds) if bound > 1) or (0,)

    @cached_property
    def bounds(self) -> tuple[int, ...]:
        """Their bounds."""
        return tuple(self.problem.bounds[dim] for dim in self.dims)

    @cached_property
    def macs(self) -> float:
        """Multiply-accumulates of the layer."""
        return float(prod(self.bounds))

    @cached_property
    def sizes(self) -> list[Array]:
        """Per dim the extents of its tiles: all divisors, ascending."""
        return [np.array(divisors(bound), dtype=np.int64) for bound in self.bounds]

    @cached_property
    def weights(self) -> Array:
        """How far apart extents of neighbouring divisors lie in tables of extents, ``[dim]``."""
        counts = [len(each) for each in self.sizes]
        if max(self.bounds, default=1) > MOST_BOUND:
            raise ConfigError(
                f"layer {self.problem.name!r} has a bound of {max(self.bounds):,}; the exact "
                f"mapper takes at most {MOST_BOUND:,}"
            )
        if prod(counts) > MOST_EXTENTS:
            raise ConfigError(
                f"layer {self.problem.name!r} has {prod(counts):,} extents of tiles; the exact "
                f"mapper takes at most {MOST_EXTENTS:,}"
            )
        return np.array([prod(counts[place + 1 :]) for place in range(len(counts))], np.int64)

    @cached_property
    def extents(self) -> Array:
        """All extents ``[extent, dim]``, in the order of the tables."""
        grids = np.meshgrid(*self.sizes, indexing="ij")
        return np.stack([grid.reshape(-1) for grid in grids], -1)

    @cached_property
    def left(self) -> Array:
        """What loops outside a tile's dims come to, ``[extent, dim]``."""
        return np.array(self.bounds, np.int64) // self.extents

    @cached_property
    def relevant(self) -> Array:
        """Whether a dim moves a tensor, ``[tensor, dim]``."""
        found = [[dim in self.machine.shape.relevant[role] for dim in self.dims] for role in ROLES]
        return np.array(found, np.bool_)

    @property
    def apart(self) -> bool:
        """Whether no loop leaves more than one tensor still."""
        return bool(((~self.relevant).sum(0) <= 1).all())

    @cached_property
    def coefficients(self) -> Array:
        """Words of a sliding axis that one step of a dim moves by, ``[tensor, dim]``."""
        given = dict(zip(self.machine.shape.coefficients, self.problem.strides, strict=True))
        found = np.ones((len(ROLES), len(self.dims)), np.int64)
        for tensor, role in enumerate(ROLES):
            for axis in self.machine.shape.tensor(role):
                for term in axis.terms:
                    if axis.slides and term.dim in self.dims:
                        step = term.coefficient
                        value = given[step] if isinstance(step, str) else step
                        found[tensor, self.dims.index(term.dim)] = int(value)
        return found

    @cached_property
    def axes(self) -> list[list[tuple[int, ...]]]:
        """Per tensor and axis the places of its dims above 1."""
        places = {dim: place for place, dim in enumerate(self.dims)}
        return [
            [
                tuple(places[dim] for dim in axis.dims if dim in places)
                for axis in self.machine.shape.tensor(role)
            ]
            for role in ROLES
        ]

    @cached_property
    def sliding(self) -> int:
        """The tensor whose tiles overlap (-1: none): with an axis of two dims above 1."""
        found = [
            tensor for tensor, axes in enumerate(self.axes) if any(len(axis) > 1 for axis in axes)
        ]
        if len(found) > 1:
            raise ConfigError(
                f"layer {self.problem.name!r}: tiles of {ROLES[found[0]]} and {ROLES[found[1]]} "
                "overlap; the exact mapper takes layers in which those of one tensor do"
            )
        if found and self.keeps[:-1, found[0]].sum() > MOST_KEEPERS:
            raise ConfigError(
                f"accelerator {self.accelerator.name}: {self.keeps[:-1, found[0]].sum()} levels "
                f"below the outermost keep {ROLES[found[0]]}, whose tiles overlap; the exact "
                f"mapper takes at most {MOST_KEEPERS}"
            )
        return found[0] if found else -1

    @cached_property
    def along(self) -> Array:
        """How each dim moves the sliding tensor, ``[dim]``: ``STILL``, ``PLAIN`` or its axis."""
        found = np.full(len(self.dims), STILL, np.int64)
        if self.sliding >= 0:
            number = 0
            for axis in self.axes[self.sliding]:
                number += len(axis) > 1
                for place in axis:
                    found[place] = number if len(axis) > 1 else PLAIN
        return found

    @cached_property
    def axis_words(self) -> Array:
        """Extents of the sliding tensor's tiles along its overlapping axes, ``[extent, 2]``."""
        found = np.ones((len(self.extents), 2), np.int64)
        if self.sliding >= 0:
            for axis in self.axes[self.sliding]:
                if len(axis) > 1:
                    number = int(self.along[axis[0]]) - 1
                    found[:, number] = self._axis_extent(self.sliding, axis)
        return found

    def _axis_extent(self, tensor: int, axis: tuple[int, ...]) -> Array:
        words = np.ones(len(self.extents), np.int64)
        for place in axis:
            words = words + self.coefficients[tensor, place] * (self.extents[:, place] - 1)
        return words

    @cached_property
    def tiles(self) -> Array:
        """Words of each tensor's tile, ``[tensor, extent]``."""
        found = np.ones((len(ROLES), len(self.extents)))
        for tensor, axes in enumerate(self.axes):
            for axis in axes:
                found[tensor] *= self._axis_extent(tensor, axis)
        return found

    @cached_property
    def words(self) -> Array:
        """Words of each whole tensor, ``[tensor]``."""
        return self.tiles[:, -1]

    @cached_property
    def keeps(self) -> Array:
        """Whether a level keeps a tensor, ``[level, tensor]``."""
        levels = self.machine.levels
        return np.array([[role in level.keeps for role in ROLES] for level in levels], np.bool_)

    @cached_property
    def fitting(self) -> Array:
        """Whether a level holds its tensors' tiles, ``[level, extent]``."""
        found = np.ones((len(self.machine.levels), len(self.extents)), np.bool_)
        for each in self.machine.requirements:
            if not each.is_mesh:
                need = self.tiles[self.keeps[each.level]].sum(0)
                found[each.level] &= need <= float(values(each.have, self.hardware))
        return found

    @cached_property
    def temporal(self) -> Array:
        """Whether a level may have a temporal loop over a dim, ``[level, dim]``."""
        slots = {(s.level, s.dim) for s in MapSpace(self.machine).slots if s.axis == TEMPORAL}
        levels = range(len(self.machine.levels))
        found = [[(level, dim) in slots for dim in self.dims] for level in levels]
        found[-1] = [True] * len(self.dims)
        return np.array(found, np.bool_)

    @cached_property
    def spreads(self) -> list[Array]:
        """Per level its spatial factors, ``[choice, axis, dim]``; one choice for each product."""
        return [self._spreads(level) for level in range(len(self.machine.levels))]

    def _spreads(self, level: int) -> Array:
        none = tuple((1,) * len(self.dims) for _ in AXES)
        found: dict[tuple[int, ...], tuple[tuple[int, ...], ...]] = {none[0]: none}
        for axis, fanout in self.machine.levels[level].fanout.items():
            number, width = AXES.index(axis), floor(float(fanout.width(self.hardware)))
            places = [self.dims.index(dim) for dim in fanout.dims if dim in self.dims]
            grown: dict[tuple[int, ...], tuple[tuple[int, ...], ...]] = {}
            for merged, split in found.items():
                for factors in self._within(places, width):
                    both = tuple(a * b for a, b in zip(merged, factors, strict=True))
                    if all(bound % f == 0 for bound, f in zip(self.bounds, both, strict=True)):
                        own = [*split]
                        own[number] = factors
                        grown.setdefault(both, tuple(own))
            found = grown
        return np.array(list(found.values()), np.int64).reshape(len(found), len(AXES), -1)

    def _within(self, places: list[int], width: int) -> list[tuple[int, ...]]:
        """Return all factors of the dims at ``places`` whose product is at most ``width``."""
        rows = [((1,) * len(self.dims), 1)]
        for place in places:
            rows = [
                ((*row[:place], int(factor), *row[place + 1 :]), size * int(factor))
                for row, size in rows
                for factor in self.sizes[place]
                if size * factor <= width
            ]
        return [row for row, _ in rows]

    @cached_property
    def rates(self) -> Array:
        """Energy of one word's read, fill and update in pJ, ``[level, 3]``."""
        machine, hardware = self.machine, self.hardware
        found = [machine.access_pj(level, hardware) for level in machine.levels]
        return np.array([[float(rate[kind]) for kind in ACCESSES] for rate in found])

    @cached_property
    def clusters(self) -> Array:
        """How many clusters of a level there are, ``[level]``; infinite: none share accesses."""
        return np.array(
            [
                inf if level.cluster == 1 else float(level.instances({})) / level.cluster
                for level in self.machine.levels
            ]
        )

    @cached_property
    def widths(self) -> Array:
        """Words per cycle of one instance's ports, ``[level, (read, write, shared)]``."""
        ports = ("read", "write", "shared")
        return np.array(
            [
                [
                    float(level.bandwidth[port](self.hardware)) if port in level.bandwidth else inf
                    for port in ports
                ]
                for level in self.machine.levels
            ]
        )

    @property
    def first_free(self) -> bool:
        """Whether the first fill of partial sums and steps of length 0 cost nothing."""
        return self.machine.counting == "timeloop"

    @cached_property
    def outputs(self) -> int:
        """The place of the Outputs among the tensors."""
        return ROLES.index(OUTPUTS)
