"""What mappings move, step and keep: counted by walks and by the rules of Timeloop's data.

Levels are numbered from the arithmetic outwards; a level's loops lie inside those of the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.shape import OUTPUTS, ROLES
from tilegrad.verify.walk import Loop, Numbers, fetched
from tilegrad.workload import Problem


@dataclass(frozen=True)
class Nests:
    """Mappings of one layer with one order of loops; factors ``[row]``.

    ``temporal[level][dim]``, ``spatial[level][axis][dim]``; ``order[level]`` lists dims from the
    outermost loop inwards. ``reaches``: extents that are known, whatever the order.
    """

    accelerator: Accelerator
    problem: Problem
    temporal: Sequence[Sequence[Numbers]]
    spatial: Sequence[Sequence[Sequence[Numbers]]]
    order: Sequence[Sequence[int]]
    reaches: dict[tuple[int, int, bool], Numbers] = field(default_factory=dict)
    _passing: dict[tuple[int, str], Numbers] = field(default_factory=dict)

    def extent(self, level: int, dim: int, inside: bool = False) -> Numbers:
        """Return how far a level's tile reaches along a dim; ``inside`` its own temporal loop."""
        if (level, dim, inside) not in self.reaches:
            reach = np.ones_like(self.temporal[0][0])
            for at in range(level + 1):
                for axis in range(len(AXES)):
                    reach = reach * self.spatial[at][axis][dim]
                if at < level or not inside:
                    reach = reach * self.temporal[at][dim]
            self.reaches[level, dim, inside] = reach
        return self.reaches[level, dim, inside]

    def axes(self, tensor: str) -> list[list[tuple[int, int]]]:
        """Return of each axis of a tensor its dims, each with the words that a step moves."""
        shape = self.problem.shape
        given = dict(zip(shape.coefficients, self.problem.strides, strict=True))
        return [
            [
                (t.dim, given[t.coefficient] if isinstance(t.coefficient, str) else t.coefficient)
                for t in axis.terms
            ]
            for axis in shape.axes[ROLES.index(tensor)]
        ]

    def box(self, level: int, tensor: str) -> list[Numbers]:
        """Return the extents of a tensor's tile at a level, by axis, holes counted."""
        found = []
        for axis in self.axes(tensor):
            last = np.zeros_like(self.temporal[0][0])
            for dim, words in axis:
                last = last + (self.extent(level, dim) - 1) * words
            found.append(last + 1)
        return found

    def tile(self, level: int, tensor: str) -> Numbers:
        """Return the words of a tensor that one instance of a level keeps."""
        words = np.ones_like(self.temporal[0][0])
        for extent in self.box(level, tensor):
            words = words * extent
        return words

    def steps(self) -> Numbers:
        """Return the product of all temporal loops."""
        found = np.ones_like(self.temporal[0][0])
        for level in self.temporal:
            for factor in level:
                found = found * factor
        return found

    def instances(self, level: int) -> Numbers:
        """Return how many instances of a level are used."""
        found = np.ones_like(self.temporal[0][0])
        for at in range(level + 1, len(self.spatial)):
            for axis in range(len(AXES)):
                for factor in self.spatial[at][axis]:
                    found = found * factor
        return found

    def wide(self, level: int, axis: int) -> Numbers:
        """Return over how many instances loops below a level are spread along an axis."""
        found = np.ones_like(self.temporal[0][0])
        for factor in self.spatial[level][axis]:
            found = found * factor
        return found

    def passing(self, level: int, tensor: str) -> Numbers:
        """Return the words of a tensor that pass the boundary of one instance of a level."""
        if (level, tensor) not in self._passing:
            self._passing[level, tensor] = self._walked(level, tensor)
        return self._passing[level, tensor]

    def _walked(self, level: int, tensor: str) -> Numbers:
        if level < 0:
            return self.steps()
        place = {dim: (n, w) for n, axis in enumerate(self.axes(tensor)) for dim, w in axis}
        loops = []
        for at in range(level + 1, len(self.temporal)):
            for dim in reversed(self.order[at]):
                axis, words = place.get(dim, (None, 0))
                step = self.extent(at, dim, inside=True) * words
                loops.append(Loop(self.temporal[at][dim], axis, step))
        skip = self.accelerator.counting == "timeloop"
        return fetched(loops, self.box(level, tensor), skip)

    def copies(self, level: int, child: int, tensor: str) -> Numbers:
        """Return how many different tiles the instances of ``child`` inside a level hold."""
        found = np.ones_like(self.temporal[0][0])
        for at in range(child + 1, level + 1):
            for axis in self.axes(tensor):
                spread = [(dim, words, self._spread(at, dim)) for dim, words in axis]
                used = [each for each in spread if (each[2] > 1).any()]
                if len(used) < 2:
                    for _, _, factor in used:
                        found = found * factor
                    continue
                found = found * self._places(at, used)
        return found

    def _spread(self, level: int, dim: int) -> Numbers:
        found = np.ones_like(self.temporal[0][0])
        for axis in range(len(AXES)):
            found = found * self.spatial[level][axis][dim]
        return found

    def _places(self, level: int, used: list[tuple[int, int, Numbers]]) -> Numbers:
        """Return at how many places along one axis tiles begin, row by row."""
        rows = len(self.temporal[0][0])
        below = [self.extent(level - 1, dim) if level else np.ones(rows) for dim, _, _ in used]
        found = np.empty(rows)
        for row in range(rows):
            places = {0.0}
            for (_, words, factor), reach in zip(used, below, strict=True):
                step = reach[row] * words
                places = {at + turn * step for at in places for turn in range(int(factor[row]))}
            found[row] = len(places)
        return found

    def accesses(self, level: int) -> list[tuple[Numbers, Numbers, Numbers]]:
        """Return reads, fills and updates of one instance of a level, by tensor that it keeps."""
        found = []
        for tensor in self.accelerator.levels[level].keeps:
            inner = [at for at in range(level) if tensor in self.accelerator.levels[at].keeps]
            child = inner[-1] if inner else -1
            served = self.passing(child, tensor) * self.copies(level, child, tensor)
            outermost = level == len(self.temporal) - 1
            none = np.zeros_like(served)
            moved = none if outermost else self.passing(level, tensor)
            if tensor != OUTPUTS:
                found.append((served, moved, none))
                continue
            own = self._own(level)
            first = outermost or self.accelerator.counting == "timeloop-2022"
            found.append((served - own, moved if first else moved - own, served))
        return found

    def _own(self, level: int) -> Numbers:
        """Return the words of Outputs that one instance of a level sees over the whole layer."""
        found = self.tile(level, OUTPUTS)
        for at in range(level + 1, len(self.temporal)):
            for axis in self.axes(OUTPUTS):
                for dim, _ in axis:
                    found = found * self.temporal[at][dim]
        return found
