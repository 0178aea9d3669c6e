"""A literal, slow reading of Timeloop's counting rules for one small nest, as an oracle.

Tiles are explicit sets of points. ``walk``: every iteration and every instance of a tensor without
sliding axes. ``fills``: iterations #0 and #1 of each temporal loop, #1 standing for all later ones,
with the previous tile and the remembered translation as the only state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

from tests.helpers_literal import axes_of
from tilegrad.mapping import LoopNest
from tilegrad.shape import ROLES, Shape
from tilegrad.shape.conv import CONV

Offsets = tuple[int, ...]
Tile = frozenset[tuple[int, ...]]


@dataclass(frozen=True)
class Loop:
    """A loop over ``dim``; one iteration moves on by ``step``."""

    dim: int
    bound: int
    step: int


@dataclass(frozen=True)
class Served:
    """Words that pass between a level and its child, seen from one instance of each.

    ``moved`` by the child, ``back`` those of them that the child had held before; ``served`` by
    the parent, ``again`` those of them that the parent had seen before.
    """

    moved: int
    back: int
    served: int
    again: int


class SmallNest:
    """One integer mapping ``[level, dim]`` as nested Python loops."""

    def __init__(self, mapping: LoopNest, strides: tuple[int, ...], shape: Shape = CONV) -> None:
        self._temporal = mapping.temporal.long().tolist()
        self._spatial = mapping.spatial.prod(-2).long().tolist()
        self._order = mapping.order.tolist()
        self._axes = {tensor: axes_of(shape, strides, tensor) for tensor in ROLES}
        self.origin: Offsets = (0,) * len(shape.dims)

    @cached_property
    def levels(self) -> int:
        """How many levels there are."""
        return len(self._temporal)

    def temporal_above(self, level: int) -> list[Loop]:
        """Return the temporal loops of the levels further out, outermost first."""
        return [
            Loop(dim, self._temporal[outer][dim], self._inside(outer, dim))
            for outer in reversed(range(level + 1, self.levels))
            for dim in self._order[outer]
            if self._temporal[outer][dim] > 1
        ]

    def spatial_at(self, level: int) -> list[Loop]:
        """Return the loops over the instances below a level."""
        return [
            Loop(dim, bound, self._extent(level - 1, dim))
            for dim, bound in enumerate(self._spatial[level])
            if bound > 1
        ]

    def spatial_between(self, child: int, parent: int) -> list[Loop]:
        """Return the loops over the instances of ``child`` under one of ``parent``."""
        return [loop for level in range(child + 1, parent + 1) for loop in self.spatial_at(level)]

    def tile(self, level: int, tensor: str, at: Offsets | None = None) -> Tile:
        """Return the points of a tensor's box that a level's tile at ``at`` (or 0) holds."""
        at = at or self.origin
        axes = self._axes[tensor]
        corner = [sum(at[dim] * step for dim, step in axis) for axis in axes]
        size = [sum((self._extent(level, dim) - 1) * step for dim, step in axis) for axis in axes]
        return frozenset(product(*(range(a, a + b + 1) for a, b in zip(corner, size, strict=True))))

    def walk(self, parent: int, child: int, tensor: str) -> Served:
        """Walk all iterations and instances of a tensor that does not slide; -1 is the MAC."""
        held: dict[Offsets, Tile] = {}
        first_seen: Tile = frozenset()
        parent_seen: Tile = frozenset()
        moved = back = served = again = 0
        for start in self._positions(self.temporal_above(child)):
            arriving: dict[Tile, None] = {}
            for instance in self._positions(self.spatial_between(child, parent)):
                tile = self.tile(child, tensor, _add(start, instance))
                if child >= 0 and held.get(instance) == tile:
                    continue
                held[instance] = tile
                arriving[tile] = None
                if not any(instance):
                    moved, back = moved + len(tile), back + len(tile & first_seen)
                    first_seen |= tile
            for tile in arriving:
                served, again = served + len(tile), again + len(tile & parent_seen)
            parent_seen = parent_seen.union(*arriving)
        return Served(moved, back, served, again)

    def fills(self, level: int, tensor: str, counting: str) -> int:
        """Return the words of a tensor that one instance takes in: the state machine, literally."""
        loops = self.temporal_above(level)
        before = self.tile(level, tensor)
        words = len(before)
        remembered: Offsets | None = None
        _, *later = product((0, 1), repeat=len(loops))
        for picked in later:
            weight = prod(loop.bound - 1 for loop, one in zip(loops, picked, strict=True) if one)
            tile = self.tile(level, tensor, self._offset(loops, picked))
            shift = tuple(a - b for a, b in zip(min(tile), min(before), strict=True))
            if counting == "timeloop" and not any(shift):
                continue
            if remembered is None or remembered == shift:
                words += weight * _difference(tile, before, shift)
                remembered = shift
            else:
                words += weight * len(tile)
                remembered = None
            before = tile
        return words

    def distinct(self, child: int, parent: int, tensor: str) -> int:
        """Return the distinct origins of a tensor's tiles among instances, level by level."""
        levels = range(child + 1, parent + 1)
        return prod(
            len({self._origin(tensor, at) for at in self._positions(self.spatial_at(level))})
            for level in levels
        )

    def _origin(self, tensor: str, at: Offsets) -> Offsets:
        return min(self.tile(-1, tensor, at))

    def _extent(self, level: int, dim: int) -> int:
        """Return the extent of all loops at and below a level (-1: one iteration)."""
        inner = range(level + 1)
        return prod(self._temporal[i][dim] * self._spatial[i][dim] for i in inner)

    def _inside(self, level: int, dim: int) -> int:
        """Return how far one iteration of a temporal loop of a level moves."""
        return self._extent(level - 1, dim) * self._spatial[level][dim]

    def _positions(self, loops: list[Loop]) -> Iterator[Offsets]:
        """Walk all iterations of loops, outermost first."""
        for iteration in product(*(range(loop.bound) for loop in loops)):
            yield self._offset(loops, iteration)

    def _offset(self, loops: list[Loop], iteration: tuple[int, ...]) -> Offsets:
        offset = list(self.origin)
        for loop, number in zip(loops, iteration, strict=True):
            offset[loop.dim] += number * loop.step
        return tuple(offset)


def _add(left: Offsets, right: Offsets) -> Offsets:
    return tuple(a + b for a, b in zip(left, right, strict=True))


def _difference(tile: Tile, before: Tile, shift: Offsets) -> int:
    """Return the new words: the difference along one axis, all words along several."""
    return len(tile) if sum(map(bool, shift)) > 1 else len(tile - before)
