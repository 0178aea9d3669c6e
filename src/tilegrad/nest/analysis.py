"""The loop-nest analysis: tiles, fills, reads and updates of every level and tensor.

One vectorised function for integers (exact, float64) and relaxed factors (differentiable).
Notation: level l counts from 0 at the arithmetic outwards; the tile of a level is the extent over
all loops at and below it, spatial ones included. Counting rules: Timeloop's, in the convention that
the accelerator names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.mapping.loopnest import LoopNest
from tilegrad.nest import fused
from tilegrad.nest.layout import Layout, multiply, total
from tilegrad.nest.loops import join
from tilegrad.nest.sliding import sliding_fills
from tilegrad.nest.spread import distinct_tiles
from tilegrad.nest.stationary import stationary_moves
from tilegrad.shape import OUTPUTS

ARITHMETIC = -1

Moved = Callable[[int, str], Tensor]
"""Words of a tensor that pass the boundary of one instance of a level."""


@dataclass(frozen=True)
class Accesses:
    """Words of one tensor at one level, per instance, over the whole layer; each ``[...]``."""

    tile: Float64[Tensor, "*#batch"]
    reads: Float64[Tensor, "*#batch"]
    fills: Float64[Tensor, "*#batch"]
    updates: Float64[Tensor, "*#batch"]


@dataclass(frozen=True)
class Nest:
    """The analysis of a batch of mappings; tensors ``[...]`` broadcast against each other.

    ``accesses[level][tensor]`` for the tensors kept there; ``instances[level]`` are the instances
    in use; ``spatial[level][axis]`` the spatial loops below a level; ``steps`` the product of all
    temporal loops (cycles of the arithmetic alone); ``macs`` all operations.
    """

    accesses: tuple[dict[str, Accesses], ...]
    instances: tuple[Tensor, ...]
    spatial: tuple[tuple[Tensor, ...], ...]
    steps: Float64[Tensor, "*#batch"]
    macs: Float64[Tensor, "*#batch"]

    def words(self, level: int) -> Tensor:
        """Return the words that one instance of a level keeps, ``[...]``."""
        return total([each.tile for each in self.accesses[level].values()], self.macs)

    def extent(self, level: int, axis: int) -> Tensor:
        """Return over how many instances the loops below a level are spread along an axis."""
        return self.spatial[level][axis]


def analyse(
    mapping: LoopNest, strides: Float[Tensor, "*batch coefficient"], accelerator: Accelerator
) -> Nest:
    """Analyse mappings ``[..., level, dim]`` of layers of the accelerator's shape.

    ``strides [..., coefficient]`` holds the shape's coefficients; leading dimensions broadcast.
    Without gradients many mappings are worked out in machine code, to the same figures.
    """
    columns = fused.columns(mapping, strides, accelerator)
    if columns is not None:
        return _nest_of(columns, accelerator)
    layout = Layout(mapping, strides, accelerator)
    levels = range(len(accelerator.levels))
    # What one level takes in is what the next one outwards gives: each is worked out once.
    moved = cache(partial(_moved, layout))
    accesses = tuple(
        {t: _accesses(layout, moved, level, t) for t in accelerator.levels[level].keeps}
        for level in levels
    )
    one = layout.one
    spatial = tuple(
        tuple(multiply([*axis.values()], one) for axis in level) for level in layout.axes
    )
    spread = [multiply(axes, one) for axes in spatial]
    instances = tuple(multiply(spread[level + 1 :], one) for level in levels)
    return Nest(accesses, instances, spatial, layout.steps, layout.steps * multiply(spread, one))


def _nest_of(columns: Sequence[Tensor], accelerator: Accelerator) -> Nest:
    """Return the nest whose figures are the columns of a ``Program``, in that order."""
    each = iter(columns)
    steps, macs = next(each), next(each)
    instances = tuple(next(each) for _ in accelerator.levels)
    spatial = tuple(tuple(next(each) for _ in AXES) for _ in accelerator.levels)
    accesses = tuple(
        {tensor: Accesses(next(each), next(each), next(each), next(each)) for tensor in level.keeps}
        for level in accelerator.levels
    )
    return Nest(accesses, instances, spatial, steps, macs)


def _accesses(layout: Layout, moved_at: Moved, level: int, tensor: str) -> Accesses:
    child = layout.accelerator.kept_below(level, tensor)
    tile = layout.tile(level, tensor)
    served = moved_at(child, tensor) * _distinct(layout, level, child, tensor)
    none = torch.zeros_like(tile)
    outermost = level == len(layout.accelerator.levels) - 1
    moved = none if outermost else moved_at(level, tensor)
    if tensor != OUTPUTS:
        return Accesses(tile, served, moved, none)
    partition = layout.partition(level)
    # Partial sums that come back; timeloop-2022 counts the first, empty ones too.
    fills = moved if outermost or layout.counts_first_fill else moved - partition
    return Accesses(tile, served - partition, fills, served)


def _moved(layout: Layout, level: int, tensor: str) -> Tensor:
    """Words of a tensor that pass one instance's boundary: operands in, Outputs out."""
    if level == ARITHMETIC:
        return layout.steps
    loops = layout.loops_above(level, tensor)
    if not layout.shape.sliding[tensor]:
        relevant = layout.shape.relevant[tensor]
        return layout.tile(level, tensor) * stationary_moves(loops, relevant, layout.one)
    if not loops:
        return layout.tile(level, tensor)
    axes, extents = layout.shape.tensor(tensor), layout.axis_extents(level, tensor)
    return sliding_fills(join(loops), axes, extents, not layout.counts_first_fill)


def _distinct(layout: Layout, level: int, child: int, tensor: str) -> Tensor:
    """Distinct tiles among the instances of ``child`` under one instance of ``level``."""
    axes, one = layout.shape.tensor(tensor), layout.one
    each = [
        distinct_tiles(layout.spatial[i], layout.tile_steps(i, tensor), axes, one)
        for i in range(child + 1, level + 1)
    ]
    return multiply(each, one)
