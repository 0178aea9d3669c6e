"""A mapping laid out for the analysis: one tensor per level and dim, absent factors left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property, reduce
from operator import mul
from typing import Any

import torch
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.dims import DIMS, C, K, N, P, Q, R, S
from tilegrad.mapping.mapping import Mapping
from tilegrad.nest.loops import Loops, level_loops

Factors = dict[int, Tensor]
"""Factors by dim, without those that are 1 in the whole batch (most are)."""


class Layout:
    """Tiles, extents and loops of a batch of mappings; tensors ``[...]`` broadcast."""

    def __init__(self, mapping: Mapping, strides: Tensor, accelerator: Accelerator) -> None:
        self.accelerator = accelerator
        self.counts_first_fill = accelerator.counting == "timeloop-2022"
        self.one = mapping.temporal.new_ones(())
        levels = accelerator.levels
        used = _used(mapping.temporal, 2)
        self.temporal = [
            _factors(mapping.temporal[..., index, :], used[index], level.loops)
            for index, level in enumerate(levels)
        ]
        used = _used(mapping.spatial, 3)
        self.axes = [
            [
                _factors(
                    mapping.spatial[..., index, number, :],
                    used[index][number],
                    level.fanout[axis].dims if axis in level.fanout else (),
                )
                for number, axis in enumerate(AXES)
            ]
            for index, level in enumerate(levels)
        ]
        self.spatial = [reduce(_merge, axes) for axes in self.axes]
        self.order = mapping.order.movedim((-2, -1), (0, 1))
        self.word_steps = steps_in_words(strides)
        self.inside, self.extents = self._extents()

    def _extents(self) -> tuple[list[list[Tensor]], list[list[Tensor]]]:
        """Return per level and dim the extent inside its temporal loops, and that of its tile."""
        inside, extents = [], []
        extent = [self.one] * len(DIMS)
        for temporal, spatial in zip(self.temporal, self.spatial, strict=True):
            inside.append(_scale(extent, spatial))
            extent = _scale(inside[-1], temporal)
            extents.append(extent)
        return inside, extents

    @cached_property
    def steps(self) -> Tensor:
        """The product of all temporal loops."""
        return multiply(factor for level in self.temporal for factor in level.values())

    def loops_above(self, level: int) -> list[Loops]:
        """Return the temporal loops of the levels further out, nearest level first."""
        loops = (self._loops[outer] for outer in range(level + 1, len(self.temporal)))
        return [level_loops for level_loops in loops if level_loops is not None]

    @cached_property
    def _loops(self) -> list[Loops | None]:
        return [self._level_loops(level) for level in range(len(self.temporal))]

    def _level_loops(self, level: int) -> Loops | None:
        bounds = self.temporal[level]
        if not bounds or level == 0:
            return None
        steps = self._in_words(self.inside[level], bounds)
        every = range(len(DIMS))
        return level_loops(
            [bounds.get(dim, self.one) for dim in every],
            [steps.get(dim, self.one) for dim in every],
            self.order[level],
        )

    def tile(self, level: int, tensor: str) -> Tensor:
        """Return the words of a tensor's tile at a level."""
        return tile_words(self.extents[level], self.word_steps, tensor)

    def input_extents(self, level: int) -> list[Tensor]:
        """Return the batch, channel, row and column extents of the Inputs tile at a level."""
        return input_extents(self.extents[level], self.word_steps)

    def tile_steps(self, level: int) -> Factors:
        """Return how far apart the tiles of neighbouring instances below a level lie, by dim."""
        below = self.extents[level - 1] if level > 0 else [self.one] * len(DIMS)
        return self._in_words(below, self.spatial[level])

    def partition(self, level: int) -> Tensor:
        """Return the words of Outputs that one instance of a level sees over the whole layer."""
        outer = self.temporal[level + 1 :]
        relevant = [factors[dim] for factors in outer for dim in (N, K, P, Q) if dim in factors]
        return multiply([self.tile(level, "Outputs"), *relevant])

    def _in_words(self, steps: list[Tensor], dims: Collection[int]) -> Factors:
        """Scale steps along P, Q, R, S to words of an Inputs row or column."""
        scales = self.word_steps
        return {dim: steps[dim] * scales[dim] if dim in scales else steps[dim] for dim in dims}


def tile_words(extent: Sequence[Tensor], word_steps: Factors, tensor: str) -> Tensor:
    """Return the words of a tensor's tile from its extent along each dim.

    ``word_steps`` are the strides along P and Q and the dilations along R and S, by dim.
    """
    if tensor == "Weights":
        return extent[R] * extent[S] * extent[C] * extent[K]
    if tensor == "Outputs":
        return extent[N] * extent[K] * extent[P] * extent[Q]
    return multiply(input_extents(extent, word_steps))


def input_extents(extent: Sequence[Tensor], word_steps: Factors) -> list[Tensor]:
    """Return the batch, channel, row and column extents of an Inputs tile."""
    rows = (extent[P] - 1) * word_steps[P] + (extent[R] - 1) * word_steps[R] + 1
    columns = (extent[Q] - 1) * word_steps[Q] + (extent[S] - 1) * word_steps[S] + 1
    return [extent[N], extent[C], rows, columns]


def steps_in_words(strides: Tensor) -> Factors:
    """Return how far one step along P, Q, R and S moves in Inputs, from ``strides [..., 4]``."""
    return dict(zip((P, Q, R, S), strides.unbind(-1), strict=True))


def multiply(factors: Iterable[Tensor]) -> Tensor:
    """Multiply one by one: the rounding of relaxed factors must not depend on the batch."""
    factors = list(factors)
    return reduce(mul, factors) if factors else torch.ones((), dtype=torch.float64)


def _used(factors: Tensor, kept: int) -> list[Any]:
    """Return which of the factors in the last ``kept`` dimensions are not 1 throughout."""
    present = factors != 1
    batch = tuple(range(factors.dim() - kept))
    return (present.any(batch) if batch else present).tolist()


def _factors(factors: Tensor, used: Sequence[bool], free: Collection[int]) -> Factors:
    """Return the factors ``[..., dim]`` that are used, or free to change."""
    changing = free if factors.requires_grad else ()
    return {dim: factors[..., dim] for dim in range(len(DIMS)) if used[dim] or dim in changing}


def _merge(left: Factors, right: Factors) -> Factors:
    merged = {**left, **right}
    merged.update({dim: left[dim] * right[dim] for dim in left.keys() & right.keys()})
    return merged


def _scale(extents: list[Tensor], factors: Factors) -> list[Tensor]:
    return [
        extent * factors[dim] if dim in factors else extent for dim, extent in enumerate(extents)
    ]
