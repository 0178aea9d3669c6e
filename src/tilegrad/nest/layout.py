"""A mapping laid out for the analysis: one tensor per level and dim, absent factors left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property, reduce
from operator import add, mul
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.mapping.loopnest import LoopNest
from tilegrad.nest.loops import Loops, level_loops, readable
from tilegrad.shape import OUTPUTS, ROLES, Shape

Factors = dict[int, Tensor]
"""Factors by dim, without those that are 1 in the whole batch (most are)."""

Scales = dict[str, Factors]
"""Per tensor, how many words one step along each dim of its sliding axes moves."""


class Layout:
    """Tiles, extents and loops of a batch of mappings; tensors ``[...]`` broadcast."""

    def __init__(
        self,
        mapping: LoopNest,
        strides: Float[Tensor, "*batch coefficient"],
        accelerator: Accelerator,
    ) -> None:
        self.accelerator = accelerator
        self.shape = accelerator.shape
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
        self.word_steps = steps_in_words(self.shape, strides)
        self.inside, self.extents = self._extents()

    def _extents(self) -> tuple[list[list[Tensor]], list[list[Tensor]]]:
        """Return per level and dim the extent inside its temporal loops, and that of its tile."""
        inside, extents = [], []
        extent = [self.one] * len(self.shape.dims)
        for temporal, spatial in zip(self.temporal, self.spatial, strict=True):
            inside.append(_scale(extent, spatial))
            extent = _scale(inside[-1], temporal)
            extents.append(extent)
        return inside, extents

    @cached_property
    def steps(self) -> Tensor:
        """The product of all temporal loops."""
        return multiply([f for level in self.temporal for f in level.values()], self.one)

    def loops_above(self, level: int, tensor: str) -> list[Loops]:
        """Return the temporal loops of the levels further out, nearest level first.

        Their steps are in words of a sliding tensor's axes.
        """
        every = self._loops[tensor if tensor in self._loops else next(iter(self._loops))]
        return [loops for loops in every[level + 1 :] if loops is not None]

    @cached_property
    def _loops(self) -> dict[str, list[Loops | None]]:
        """Per sliding tensor (or one, where none slides) the loops of each level."""
        sliding = [tensor for tensor in ROLES if self.shape.sliding[tensor]] or [OUTPUTS]
        levels = range(len(self.temporal))
        return {tensor: [self._level_loops(each, tensor) for each in levels] for tensor in sliding}

    def _level_loops(self, level: int, tensor: str) -> Loops | None:
        bounds = self.temporal[level]
        if not bounds or level == 0:
            return None
        steps = self._in_words(self.inside[level], bounds, tensor)
        every = range(len(self.shape.dims))
        return level_loops(
            [bounds.get(dim, self.one) for dim in every],
            [steps.get(dim, self.one) for dim in every],
            self.order[level],
        )

    def tile(self, level: int, tensor: str) -> Tensor:
        """Return the words of a tensor's tile at a level."""
        return multiply(self.axis_extents(level, tensor), self.one)

    def words(self, level: int) -> Tensor:
        """Return the words that one instance of a level keeps."""
        keeps = self.accelerator.levels[level].keeps
        return total([self.tile(level, tensor) for tensor in keeps], self.one)

    def extent(self, level: int, axis: int) -> Tensor:
        """Return over how many instances the loops below a level are spread along an axis."""
        return multiply([*self.axes[level][axis].values()], self.one)

    def axis_extents(self, level: int, tensor: str) -> list[Tensor]:
        """Return the extent of a tensor's tile at a level along each of its axes."""
        return axis_extents(self.shape, tensor, self.extents[level], self.word_steps)

    def tile_steps(self, level: int, tensor: str) -> Factors:
        """Return how far apart the tiles of neighbouring instances below a level lie, by dim."""
        below = self.extents[level - 1] if level > 0 else [self.one] * len(self.shape.dims)
        return self._in_words(below, self.spatial[level], tensor)

    def partition(self, level: int) -> Tensor:
        """Return the words of Outputs that one instance of a level sees over the whole layer."""
        outer = self.temporal[level + 1 :]
        dims = [dim for axis in self.shape.tensor(OUTPUTS) for dim in axis.dims]
        relevant = [factors[dim] for factors in outer for dim in dims if dim in factors]
        return multiply([self.tile(level, OUTPUTS), *relevant], self.one)

    def _in_words(self, steps: list[Tensor], dims: Collection[int], tensor: str) -> Factors:
        """Scale steps along sliding axes to words of the tensor's row or column."""
        scales = self.word_steps[tensor]
        return {dim: steps[dim] * scales[dim] if dim in scales else steps[dim] for dim in dims}


def tile_words(shape: Shape, tensor: str, extent: Sequence[Tensor], word_steps: Scales) -> Tensor:
    """Return the words of a tensor's tile from its extent along each dim."""
    return multiply(axis_extents(shape, tensor, extent, word_steps), extent[0].new_ones(()))


def axis_extents(
    shape: Shape, tensor: str, extent: Sequence[Tensor], word_steps: Scales
) -> list[Tensor]:
    """Return the extent of a tensor's tile along each of its axes, holes counted."""
    steps = word_steps[tensor]
    return [
        sum_of((extent[dim] - 1) * steps[dim] for dim in axis.dims) + 1
        if axis.slides
        else extent[axis.dims[0]]
        for axis in shape.tensor(tensor)
    ]


def steps_in_words(shape: Shape, coefficients: Float[Tensor, "*batch coefficient"]) -> Scales:
    """Return how far one step along each sliding dim moves, from ``[..., coefficient]``."""
    given = dict(zip(shape.coefficients, coefficients.unbind(-1), strict=True))
    return {
        tensor: {
            term.dim: given[term.coefficient]
            if isinstance(term.coefficient, str)
            else coefficients.new_tensor(float(term.coefficient))
            for axis in shape.tensor(tensor)
            if axis.slides
            for term in axis.terms
        }
        for tensor in ROLES
    }


def sum_of(terms: Iterable[Tensor]) -> Tensor:
    """Add one by one, without a zero to begin with."""
    return reduce(add, terms)


def total(tiles: Sequence[Tensor], like: Tensor) -> Tensor:
    """Add up tensors that broadcast; a level that keeps none has no words."""
    if not tiles:
        return like.new_zeros(())
    return torch.stack(torch.broadcast_tensors(*tiles)).sum(0)


def multiply(factors: Sequence[Tensor], one: Tensor) -> Tensor:
    """Multiply one by one: the rounding of relaxed factors must not depend on the batch.

    No factors make ``one``.
    """
    return reduce(mul, factors) if factors else one


def _used(factors: Tensor, kept: int) -> list[Any]:
    """Return which of the factors in the last ``kept`` dimensions are not 1 throughout, or may."""
    if not readable(factors):
        return _all_used(factors.shape[-kept:])
    present = factors != 1
    batch = tuple(range(factors.dim() - kept))
    return (present.any(batch) if batch else present).tolist()


def _all_used(shape: Sequence[int]) -> list[Any]:
    return [_all_used(shape[1:]) if len(shape) > 1 else True for _ in range(shape[0])]


def _factors(factors: Tensor, used: Sequence[bool], free: Collection[int]) -> Factors:
    """Return the factors ``[..., dim]`` that are used, or free to change."""
    changing = free if factors.requires_grad else ()
    return {dim: factors[..., dim] for dim in range(len(used)) if used[dim] or dim in changing}


def _merge(left: Factors, right: Factors) -> Factors:
    merged = {**left, **right}
    merged.update({dim: left[dim] * right[dim] for dim in left.keys() & right.keys()})
    return merged


def _scale(extents: list[Tensor], factors: Factors) -> list[Tensor]:
    return [
        extent * factors[dim] if dim in factors else extent for dim, extent in enumerate(extents)
    ]
