"""How many different tiles the instances below a level hold: multicast counted out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from tilegrad.nest.layout import multiply
from tilegrad.shape import Axis


def distinct_tiles(
    spatial: Mapping[int, Tensor], steps: Mapping[int, Tensor], axes: Sequence[Axis], one: Tensor
) -> Tensor:
    """Return the number of a tensor's distinct tiles over one level's instances, ``[...]``.

    ``spatial`` are the level's spatial factors by dim (absent: 1), ``steps`` how far one instance's
    tile lies from the next, in words of the tensor's ``axes``; ``one`` stands for no factors.
    """
    # Always in this order: the rounding must not depend on which factors the batch has.
    sliding = [_positions(spatial, steps, axis.dims, one) for axis in axes if axis.slides]
    plain = sorted(axis.dims[0] for axis in axes if not axis.slides)
    return multiply([*sliding, *(spatial[dim] for dim in plain if dim in spatial)], one)


def _positions(
    spatial: Mapping[int, Tensor], steps: Mapping[int, Tensor], dims: Sequence[int], one: Tensor
) -> Tensor:
    """Return at how many places along one axis the tiles begin, spread along its ``dims``."""
    spread = [dim for dim in dims if dim in spatial]
    if len(spread) == 2:
        a, b = spread
        return _distinct_sums(spatial[a], steps[a], spatial[b], steps[b])
    return multiply([spatial[dim] for dim in spread], one)


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
