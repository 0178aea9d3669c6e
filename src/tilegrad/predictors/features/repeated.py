"""A function of rows that repeat each other, worked out once for each distinct row."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

FEW = 256
"""Rows up to which looking for repeated ones takes longer than it saves."""

_SEED = 0


def of_distinct(function: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """Return ``function`` of ``rows [row, column]``, which looks at one row after another.

    Rows are told apart by a sum of random weights, and then compared: where two different ones had
    the same sum, all are worked out.
    """
    if len(rows) <= FEW:
        return function(rows)
    weights = torch.rand(
        rows.shape[1], generator=torch.Generator().manual_seed(_SEED), dtype=rows.dtype
    )
    _, place = (rows * weights.to(rows.device)).sum(-1).unique(return_inverse=True)
    count = int(place.max()) + 1
    if 2 * count > len(rows):
        return function(rows)
    first = torch.empty(count, dtype=torch.int64, device=rows.device)
    first[place] = torch.arange(len(rows), device=rows.device)
    kept = rows[first]
    if not torch.equal(kept[place], rows):
        return function(rows)
    return function(kept)[place]
