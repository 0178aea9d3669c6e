"""How many different tiles the instances below a level hold: multicast counted out."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from tilegrad.dims import RELEVANT, C, N, P, Q, R, S
from tilegrad.nest.layout import multiply


def distinct_tiles(
    spatial: Mapping[int, Tensor], steps: Mapping[int, Tensor], tensor: str
) -> Tensor:
    """Return the number of distinct tiles of ``tensor`` over one level's instances, ``[...]``.

    ``spatial`` are the level's spatial factors by dim (absent: 1), ``steps`` how far one instance's
    tile lies from the next, in words of the tensor's axes.
    """
    if tensor != "Inputs":
        return multiply(spatial[dim] for dim in sorted(spatial.keys() & RELEVANT[tensor]))
    # Always in this order: the rounding must not depend on which factors the batch has.
    axes = [_positions(spatial, steps, a, b) for a, b in ((P, R), (Q, S))]
    return multiply([*axes, *(spatial[dim] for dim in (C, N) if dim in spatial)])


def _positions(
    spatial: Mapping[int, Tensor], steps: Mapping[int, Tensor], a: int, b: int
) -> Tensor:
    """Return how many rows (or columns) the tiles begin at, spread along dims ``a`` and ``b``."""
    if a in spatial and b in spatial:
        return _distinct_sums(spatial[a], steps[a], spatial[b], steps[b])
    return multiply(spatial[dim] for dim in (a, b) if dim in spatial)


def _distinct_sums(count_a: Tensor, step_a: Tensor, count_b: Tensor, step_b: Tensor) -> Tensor:
    """Return how many values i*step_a + j*step_b takes for i < count_a, j < count_b.

    (i, j) and (i + b', j - a') coincide, with a' and b' the steps over their common divisor; each
    value is counted at the pair that has no predecessor.
    """
    whole_a = step_a.detach().round().to(torch.int64)
    whole_b = step_b.detach().round().to(torch.int64)
    divisor = torch.gcd(whole_a, whole_b).clamp(min=1)
    repeats_a = (count_a - whole_b // divisor).clamp(min=0)
    repeats_b = (count_b - whole_a // divisor).clamp(min=0)
    return count_a * count_b - repeats_a * repeats_b
