"""Loop orders that can differ in cost.

Each dim is irrelevant to exactly one tensor, so an order matters only through the run of loops
innermost at a level: those irrelevant to Weights (P, Q, N), to Outputs (R, S, C) or to Inputs (K)
keep that tensor still; and through the sliding loop that keeps the Inputs' halo, the innermost one.
"""

from __future__ import annotations

from itertools import product
from math import prod

from tilegrad.accelerator import Accelerator
from tilegrad.dims import DIMS, RELEVANT, TENSORS, P, Q, R, S
from tilegrad.mapping.space import TEMPORAL, MapSpace

SLIDING = (P, Q, R, S)


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
    below = {tensor for inner in accelerator.levels[:level] for tensor in inner.keeps}
    if not set(accelerator.levels[level].loops) & used:
        return [tuple(range(len(DIMS)))]
    halo = keeps_halo and "Inputs" in below
    runs: list[Order] = []
    for tensor in TENSORS:
        if tensor in below:
            still = tuple(dim for dim in used if dim not in RELEVANT[tensor])
            runs += _runs(tuple(sorted(still)), halo, accelerator.counting == "timeloop", used)
    orders = {_outermost_first(run) for run in runs or [()]}
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
        return frozenset(range(len(DIMS)))
    return frozenset(
        slot.dim for slot in space.slots if slot.level == level and slot.axis == TEMPORAL
    )


def _runs(
    still: tuple[int, ...], halo: bool, keeps_halo: bool, used: frozenset[int]
) -> list[Order]:
    """Return innermost runs, innermost first: each of ``still`` in turn next to the level below."""
    if not halo:
        return [still]
    runs = [(first, *(dim for dim in still if dim != first)) for first in still]
    if keeps_halo and not set(still) & set(SLIDING):
        # A still loop inside a sliding one keeps the halo: the next loop out matters too.
        runs += [(*still, slide) for slide in SLIDING if slide in used]
    return runs


def _outermost_first(run: tuple[int, ...]) -> tuple[int, ...]:
    outer = [dim for dim in range(len(DIMS)) if dim not in run]
    return (*reversed(outer), *reversed(run))
