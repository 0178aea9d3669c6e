"""Loop orders that can differ in cost.

Each dim is irrelevant to exactly one tensor, so an order matters only through the run of loops
innermost at a level: those irrelevant to Weights (P, Q, N), to Outputs (R, S, C) or to Inputs (K)
keep that tensor still; and through the sliding loop that keeps the Inputs' halo, the innermost one.
"""

from __future__ import annotations

from itertools import product

from tilegrad.accelerator import Accelerator
from tilegrad.dims import DIMS, RELEVANT, TENSORS, P, Q, R, S

SLIDING = (P, Q, R, S)


def level_orders(
    accelerator: Accelerator, level: int, used: frozenset[int]
) -> list[tuple[int, ...]]:
    """Return the orders of one level worth trying, dims from the outermost loop to the innermost.

    ``used`` are the dims that may have a loop (bound above 1).
    """
    below = {tensor for inner in accelerator.levels[:level] for tensor in inner.keeps}
    if not set(accelerator.levels[level].loops) & used:
        return [tuple(range(len(DIMS)))]
    halo = "Inputs" in below
    runs: list[tuple[int, ...]] = []
    for tensor in TENSORS:
        if tensor in below:
            still = tuple(dim for dim in used if dim not in RELEVANT[tensor])
            runs += _runs(tuple(sorted(still)), halo, accelerator.counting == "timeloop", used)
    orders = {_outermost_first(run) for run in runs or [()]}
    return sorted(orders)


def candidate_orders(
    accelerator: Accelerator, used: frozenset[int]
) -> list[tuple[tuple[int, ...], ...]]:
    """Return the combinations of level orders worth trying, innermost level first."""
    levels = range(len(accelerator.levels))
    return list(product(*(level_orders(accelerator, level, used) for level in levels)))


def _runs(
    still: tuple[int, ...], halo: bool, keeps_halo: bool, used: frozenset[int]
) -> list[tuple[int, ...]]:
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
