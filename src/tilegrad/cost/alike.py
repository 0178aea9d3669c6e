"""Rows that are equal, found by their bytes: much faster than comparing them column by column."""

from __future__ import annotations

import torch
from torch import Tensor


def keys(rows: Tensor) -> list[bytes]:
    """Return the bytes of each of the CPU rows ``[row, column]``; equal figures have equal ones.

    But for 0 and -0.
    """
    flat = rows.detach().contiguous().numpy()
    if not flat.size:
        return [b""] * len(flat)
    found: list[bytes] = flat.view(f"V{flat.itemsize * flat.shape[1]}").ravel().tolist()
    return found


def alike(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return where each distinct row is first ``[kind]``, and the kind of each row ``[row]``."""
    each = keys(rows)
    first: dict[bytes, int] = {}
    for place, key in enumerate(each):
        first.setdefault(key, place)
    kinds = dict(zip(first, range(len(first)), strict=True))
    return torch.tensor(list(first.values())), torch.tensor([kinds[key] for key in each])
