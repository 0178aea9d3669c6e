"""Loop orders that can differ in cost.

An order matters only through the run of loops innermost at a level: those irrelevant to a tensor
keep it still (of a convolution P, Q, N the Weights; R, S, C the Outputs; K the Inputs); and through
the sliding loop that keeps a tensor's halo, the innermost one.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import product
from math import prod

from tilegrad.accelerator import Accelerator
from tilegrad.mapping.space import TEMPORAL, MapSpace
from tilegrad.shape import ROLES, Shape

MOST_ORDERS = 72
"""Combinations of level orders worth the time; more are thinned out, inner levels first."""

Order = tuple[int, ...]
"""Dims from the outermost loop to the innermost."""


def level_orders(
    accelerator: Accelerator, level: int, used: frozenset[int], keeps_halo: bool = True
) -> list[Order]:
    """Return the orders of one level worth trying.

    ``used`` are the dims that may have a loop there (bound above 1). Without ``keeps_halo`` only
    the tensor that stands still counts, not which sliding loop is innermost.
    """
    shape = accelerator.shape
    below = {tensor for inner in accelerator.levels[:level] for tensor in inner.keeps}
    if not set(accelerator.levels[level].loops) & used:
        return [tuple(range(len(shape.dims)))]
    sliding = _sliding(shape, below) if keeps_halo else frozenset()
    runs: list[Order] = []
    for tensor in ROLES:
        if tensor in below:
            still = tuple(dim for dim in used if dim not in shape.relevant[tensor])
            outside = sliding & used if accelerator.counting == "timeloop" else frozenset()
            runs += _runs(tuple(sorted(still)), sliding, outside)
    orders = {_outermost_first(run, len(shape.dims)) for run in runs or [()]}
    return sorted(orders)


def candidate_orders(accelerator: Accelerator, used: frozenset[int]) -> list[tuple[Order, ...]]:
    """Return the combinations of level orders worth trying, innermost level first.

    At most ``MOST_ORDERS``: loops that only rename others are left out first, then inner levels
    give up the choice of the innermost sliding loop, then of the tensor that stands still.
    """
    levels = range(len(accelerator.levels))
    orders = [level_orders(accelerator, level, used) for level in levels]
    if prod(map(len, orders)) <= MOST_ORDERS:
        return list(product(*orders))
    space = MapSpace(accelerator)
    loops = [used & _temporal_dims(space, level) for level in levels]
    orders = [level_orders(accelerator, level, loops[level]) for level in levels]
    for keep in (True, False):
        for level in levels:
            if prod(map(len, orders)) > MOST_ORDERS:
                plain = level_orders(accelerator, level, loops[level], keeps_halo=False)
                orders[level] = plain if keep else plain[:1]
    return list(product(*orders))


def _temporal_dims(space: MapSpace, level: int) -> frozenset[int]:
    """Return the dims that have a temporal loop at a level in this mapspace."""
    if level == len(space.accelerator.levels) - 1:
        return frozenset(range(len(space.accelerator.shape.dims)))
    return frozenset(
        slot.dim for slot in space.slots if slot.level == level and slot.axis == TEMPORAL
    )


def _sliding(shape: Shape, tensors: Collection[str]) -> frozenset[int]:
    """Return the dims along which tiles of some of the tensors slide."""
    return frozenset(dim for tensor in tensors for dim in shape.sliding[tensor])


def _runs(still: Order, sliding: frozenset[int], outside: frozenset[int]) -> list[Order]:
    """Return innermost runs, innermost first: each of ``still`` in turn next to the level below.

    ``outside`` are sliding dims of which one next to a run that holds none keeps the halo.
    """
    if not sliding:
        return [still]
    runs = [(first, *(dim for dim in still if dim != first)) for first in still]
    if not set(still) & sliding:
        # A still loop inside a sliding one keeps the halo: the next loop out matters too.
        runs += [(*still, slide) for slide in sorted(outside)]
    return runs


def _outermost_first(run: Order, dims: int) -> Order:
    outer = [dim for dim in range(dims) if dim not in run]
    return (*reversed(outer), *reversed(run))
