"""Functions of whole sizes, continued to relaxed ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def between(function: Callable[[Tensor], tuple[Tensor, ...]], size: Tensor) -> tuple[Tensor, ...]:
    """Return ``function`` of ``size [...]``, linear between whole sizes, so exact at those.

    ``function`` takes whole sizes from 1 on, as floats, and returns tensors that broadcast with
    them; its own gradient is not used. A size below 1 continues the line from 1 to 2.
    """
    lower = size.detach().floor().clamp(min=1)
    if not size.requires_grad and bool((size == lower).all()):
        return function(lower)
    share = size - lower
    with torch.no_grad():
        ends = list(zip(function(lower), function(lower + 1), strict=True))
    return tuple(low + share * (high - low) for low, high in ends)


def mean_tile(
    function: Callable[[Tensor], tuple[Tensor, ...]], bound: Tensor, tile: Tensor, ragged: Tensor
) -> tuple[Tensor, ...]:
    """Return ``function`` of a mean tile of a dim, as ``between`` does.

    Where tiles are ``ragged [...]``, whole ones that need not divide ``bound``, the last one is as
    long as is left.
    """
    counts = between(function, tile)
    if not bool(ragged.any()):
        return counts
    tiles = torch.ceil(bound / tile)
    last = function((bound - (tiles - 1) * tile).detach().floor().clamp(min=1))
    return tuple(
        torch.where(ragged, count + (short - count) / tiles, count)
        for count, short in zip(counts, last, strict=True)
    )


def ceil_div(size: Tensor, unit: Tensor | float) -> Tensor:
    """Return how many ``unit`` hold ``size``; whole floats."""
    return torch.ceil(size / unit)


def power_of_two(first: Tensor, second: Tensor, most: int) -> Tensor:
    """Return the largest power of two up to ``most``, itself one, that divides both; int64.

    The sizes are whole floats.
    """
    bits = first.long() | second.long() | most
    return bits & -bits
