"""The loop-nest analysis as a list of steps over columns of figures, one mapping in each row.

``tilegrad.nest.analysis`` and what it calls define the rules. Here the same operations stand in the
same order, so that both agree to the last bit, as tests check; ``kernel`` runs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from tilegrad.accelerator import AXES
from tilegrad.shape import OUTPUTS, ROLES, Axis, Shape

ONE, ZERO = 0, 1
"""Values that are the same for all mappings."""

TEMPORAL, SPATIAL, COEFFICIENT, NUMBER, TIMES, PLUS, MINUS, SPAN = range(8)
LAY, STAY, SLIDE, SUMS = range(8, 12)
"""Kinds of steps. ``SPAN``: one less, times a scale; the last four: see the kernel."""

NONE = -1
"""For a dim that does not move a tensor, and behind the shorter rows of a table."""

Lengths = list[int]
"""Values: extents of a tile along each axis."""


class Tables(NamedTuple):
    """A program as arrays: ``steps [step, (kind, value, what it takes)]`` and how many ``values``.

    ``written [column]``; the values of temporal factors and of extents ``inside`` them ``[level,
    dim]``; by tensor and dim: whether it is ``relevant``, the ``scales`` of its steps (values) and
    its axis, ``turn_of``, counted with the ``sliding [tensor]`` ones first; ``measured [slide]``:
    the values of a tile's words and extents; ``skips``: steps of length 0 are skipped.
    """

    steps: Any
    values: int
    written: Any
    temporal: Any
    inside: Any
    relevant: Any
    scales: Any
    turn_of: Any
    sliding: Any
    measured: Any
    skips: bool


class Program:
    """The steps for mappings of one shape on an accelerator with such levels.

    ``keeps``: the tensors of each level, from the innermost; ``first_free``: counting of current
    Timeloop. ``found`` are the columns of the result, as values: steps, MACs, instances of each
    level, spatial loops of each level and axis, then tile, reads, fills and updates of each level
    and tensor that it keeps; ``written`` are the values among them that differ between mappings.
    """

    def __init__(self, shape: Shape, keeps: Sequence[Sequence[str]], first_free: bool) -> None:
        self.shape, self.keeps, self.first_free = shape, keeps, first_free
        self._steps: list[tuple[int, ...]] = []
        self._count = 2
        self._measured: list[Lengths] = []
        self._moved: dict[tuple[int, str], int] = {}
        levels, dims = range(len(keeps)), range(len(shape.dims))
        self._temporal = [
            [self._step(TEMPORAL, level * len(dims) + dim) for dim in dims] for level in levels
        ]
        self._axes = [
            [
                [self._step(SPATIAL, (2 * level + axis) * len(dims) + dim) for dim in dims]
                for axis in range(len(AXES))
            ]
            for level in levels
        ]
        self._spatial = [
            [self._times(pair) for pair in zip(*axes, strict=True)] for axes in self._axes
        ]
        self._inside, self._extents = self._extended()
        self._scales = {role: [self._scale(role, dim) for dim in dims] for role in ROLES}
        self._step(LAY)
        self.found = self._columns()
        self.written = [*dict.fromkeys(v for v in self.found if v not in (ONE, ZERO))]

    def _step(self, kind: int, *values: int) -> int:
        """Take one more step; return its value."""
        self._steps.append((kind, self._count, *values, *[0] * (4 - len(values))))
        self._count += 1
        return self._count - 1

    def _times(self, values: Iterable[int]) -> int:
        """Return the product, multiplied one by one; of none 1."""
        product = ONE
        for value in values:
            if ONE in (product, value):
                product = max(product, value)
            else:
                product = self._step(TIMES, product, value)
        return product

    def _extended(self) -> tuple[list[list[int]], list[list[int]]]:
        inside, extents = [], []
        extent = [ONE] * len(self.shape.dims)
        for temporal, spatial in zip(self._temporal, self._spatial, strict=True):
            inside.append([self._times(pair) for pair in zip(extent, spatial, strict=True)])
            extent = [self._times(pair) for pair in zip(inside[-1], temporal, strict=True)]
            extents.append(extent)
        return inside, extents

    def _scale(self, role: str, dim: int) -> int:
        """Return how many words one step along a dim moves."""
        terms = [t for axis in self.shape.tensor(role) if axis.slides for t in axis.terms]
        for term in terms:
            if term.dim == dim:
                if isinstance(term.coefficient, str):
                    return self._step(COEFFICIENT, self.shape.coefficients.index(term.coefficient))
                return self._step(NUMBER, term.coefficient)
        return ONE

    def _columns(self) -> list[int]:
        steps = self._times(factor for level in self._temporal for factor in level)
        spatial = [[self._times(axis) for axis in axes] for axes in self._axes]
        spread = [self._times(axes) for axes in spatial]
        levels = range(len(self.keeps))
        instances = [self._times(spread[level + 1 :]) for level in levels]
        macs = self._times([steps, self._times(spread)])
        accesses = [
            value
            for level in levels
            for tensor in self.keeps[level]
            for value in self._accesses(level, tensor, steps)
        ]
        return [steps, macs, *instances, *(each for axes in spatial for each in axes), *accesses]

    def _accesses(self, level: int, tensor: str, steps: int) -> tuple[int, int, int, int]:
        child = next((i for i in range(level - 1, -1, -1) if tensor in self.keeps[i]), -1)
        lengths = [self._length(axis, level, tensor) for axis in self.shape.tensor(tensor)]
        tile = self._times(lengths)
        passed = steps if child < 0 else self._moved[child, tensor]
        served = self._times([passed, self._distinct(level, child, tensor)])
        outermost = level == len(self.keeps) - 1
        moved = ZERO if outermost else self._move(level, tensor, lengths, tile)
        self._moved[level, tensor] = moved
        if tensor != OUTPUTS:
            return tile, served, moved, ZERO
        dims = [axis.dims[0] for axis in self.shape.tensor(OUTPUTS)]
        outer = [level[dim] for level in self._temporal[level + 1 :] for dim in dims]
        partition = self._times([tile, *outer])
        back = self.first_free and not outermost
        fills = self._step(MINUS, moved, partition) if back else moved
        return tile, self._step(MINUS, served, partition), fills, served

    def _length(self, axis: Axis, level: int, tensor: str) -> int:
        if not axis.slides:
            return self._extents[level][axis.dims[0]]
        spans = [
            self._step(SPAN, self._extents[level][dim], self._scales[tensor][dim])
            for dim in axis.dims
        ]
        total = spans[0]
        for span in [*spans[1:], ONE]:
            total = self._step(PLUS, total, span)
        return total

    def _move(self, level: int, tensor: str, lengths: Lengths, tile: int) -> int:
        place = ROLES.index(tensor)
        if not self.shape.sliding[tensor]:
            return self._step(STAY, place, tile, level)
        self._measured.append([tile, *(lengths[axis] for axis in self._turns(tensor))])
        return self._step(SLIDE, place, len(self._measured) - 1, level)

    def _turns(self, tensor: str) -> list[int]:
        """Return the axes along which tiles move, the sliding ones first."""
        axes = self.shape.tensor(tensor)
        return sorted(range(len(axes)), key=lambda axis: not axes[axis].slides)

    def _distinct(self, level: int, child: int, tensor: str) -> int:
        return self._times(self._tiles(at, tensor) for at in range(child + 1, level + 1))

    def _tiles(self, level: int, tensor: str) -> int:
        axes = self.shape.tensor(tensor)
        plain = sorted(axis.dims[0] for axis in axes if not axis.slides)
        sliding = [self._positions(level, tensor, axis) for axis in axes if axis.slides]
        return self._times([*sliding, *(self._spatial[level][dim] for dim in plain)])

    def _positions(self, level: int, tensor: str, axis: Axis) -> int:
        spatial = [self._spatial[level][dim] for dim in axis.dims]
        if len(spatial) == 1:
            return spatial[0]
        below = self._extents[level - 1] if level > 0 else [ONE] * len(self.shape.dims)
        steps = [self._times([below[dim], self._scales[tensor][dim]]) for dim in axis.dims]
        return self._step(SUMS, *spatial, *steps)

    @cached_property
    def tables(self) -> Tables:
        """What the kernel takes."""
        tensors, dims = len(ROLES), len(self.shape.dims)
        relevant, turn_of = np.zeros((tensors, dims)), np.full((tensors, dims), NONE)
        for place, role in enumerate(ROLES):
            relevant[place, [*self.shape.relevant[role]]] = 1.0
            for turn, axis in enumerate(self._turns(role)):
                turn_of[place, [*self.shape.tensor(role)[axis].dims]] = turn
        slide = [sum(axis.slides for axis in self.shape.tensor(role)) for role in ROLES]
        return Tables(
            np.array(self._steps),
            self._count,
            np.array(self.written),
            np.array(self._temporal),
            np.array(self._inside),
            relevant,
            np.array([self._scales[role] for role in ROLES]),
            turn_of,
            np.array(slide),
            _padded(self._measured),
            self.first_free,
        )


def _padded(rows: Sequence[Sequence[int]]) -> Any:
    """Return rows of unequal lengths as one table; ``NONE`` stands behind the shorter ones."""
    table = np.full((max(len(rows), 1), max(map(len, rows), default=1)), NONE)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table
