"""Shapes of batches: what leading dimensions come to, taken together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch


def broadcast_shapes(*shapes: Sequence[int]) -> torch.Size:
    """Return what shapes broadcast to; raise ``ValueError`` where they do not.

    ``torch.broadcast_shapes`` is fifteen times as slow, and its first call imports SymPy.
    """
    return torch.Size(np.broadcast_shapes(*map(tuple, shapes)))
