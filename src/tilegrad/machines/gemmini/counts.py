"""What a program asks of the machine, as totals over all its tiles."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

PAGE = 4_096
"""Bytes of a page."""
LEAST_ROWS = 4.0
"""Rows that a block takes at least: writes to one accumulator row are four cycles apart."""


@dataclass(frozen=True)
class Counts:
    """Counts ``[...]``; see ``UNITS``."""

    tiles: Tensor
    input_requests: Tensor
    input_beats: Tensor
    input_pages: Tensor
    input_rows: Tensor
    input_moves: Tensor
    weight_requests: Tensor
    weight_beats: Tensor
    weight_pages: Tensor
    weight_rows: Tensor
    weight_moves: Tensor
    zero_rows: Tensor
    executed_rows: Tensor
    computes: Tensor
    preloads: Tensor
    store_requests: Tensor
    stores: Tensor
    store_pages: Tensor
    scratchpad_bytes: Tensor
    accumulator_bytes: Tensor

    def times(self, groups: Tensor) -> Counts:
        """Return the counts of as many groups ``[...]``; a tile is still one's."""
        counted = {name: getattr(self, name) * groups for name in UNITS}
        return replace(self, **counted)

    def where(self, chosen: Tensor, other: Counts) -> Counts:
        """Return these counts where ``chosen [...]``, the other's elsewhere."""
        return Counts(
            *(
                torch.where(chosen, getattr(self, f.name), getattr(other, f.name))
                for f in fields(self)
            )
        )


UNITS = {
    "tiles": "tiles",
    "input_requests": "DMA requests",
    "input_beats": "beats of the bus",
    "input_pages": "changes of page",
    "input_rows": "rows written to the scratchpad",
    "input_moves": "load commands",
    "weight_requests": "DMA requests",
    "weight_beats": "beats of the bus",
    "weight_pages": "changes of page",
    "weight_rows": "rows written to the scratchpad",
    "weight_moves": "load commands",
    "zero_rows": "accumulator rows set to zero or a bias",
    "executed_rows": "cycles of the array",
    "computes": "compute commands",
    "preloads": "blocks of weights",
    "store_requests": "DMA requests",
    "stores": "store commands",
    "store_pages": "changes of page",
}
"""What is counted, for all but the bytes of a tile."""
