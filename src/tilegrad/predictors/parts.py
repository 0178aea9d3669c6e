"""A function of rows, worked out for some of them at a time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

AT_ONCE = 4096
"""Rows that are worked out at once: what lies between input and output then stays in the cache.

A multiple of the rows that kernels of matrix products take together, so that every row is computed
as it is among all others.
"""


def in_parts(function: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """Return ``function`` of ``rows [row, column]``, which looks at one row after another.

    Rows of more dims, and those of which a gradient is asked, go all at once.
    """
    if rows.dim() != 2 or len(rows) <= AT_ONCE or rows.requires_grad:
        return function(rows)
    return torch.cat([function(part) for part in rows.split(AT_ONCE)])
