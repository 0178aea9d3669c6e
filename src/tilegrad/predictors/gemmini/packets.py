"""How Gemmini's DMA cuts a run of bytes into requests of 16, 32 or 64 aligned bytes."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from tilegrad.predictors.gemmini.rounding import common

LINE = 64
"""Bytes of a cache line, the largest request."""
BEAT = 16
"""Bytes that the bus moves in a cycle."""
REQUESTS = (16, 32, 64)


def packets(length: Tensor, pitch: Tensor, piece: Tensor) -> tuple[Tensor, Tensor]:
    """Return requests and beats of a run of ``length`` bytes, moved in commands of ``piece``.

    The run's place in memory is a multiple of the greatest common divisor of its length and the
    ``pitch`` [bytes] of rows; the counts are the mean over such places. All are whole floats, the
    piece at most a line.
    """
    step = common(common(length, pitch), torch.full_like(length, LINE))
    row = step.log2().long()
    whole = torch.floor(length / piece)
    rest = (length - whole * piece).long()
    table = _table().to(length.device)
    counts = whole.unsqueeze(-1) * table[row, piece.long()] + table[row, rest]
    requests, beats = counts.unbind(-1)
    return requests, beats


@cache
def _table() -> Tensor:
    """Return ``[log2 step, bytes, (requests, beats)]`` for steps up to a line."""
    steps = [2**power for power in range(LINE.bit_length())]
    return torch.tensor(
        [[_mean_of_places(length, step) for length in range(LINE + 1)] for step in steps],
        dtype=torch.float64,
    )


def _mean_of_places(length: int, step: int) -> tuple[float, float]:
    cuts = [_cut(place, length) for place in range(0, LINE, step)]
    return (
        sum(len(cut) for cut in cuts) / len(cuts),
        sum(size // BEAT for cut in cuts for size in cut) / len(cuts),
    )


def _cut(place: int, length: int) -> list[int]:
    """Return the sizes of the requests: always the one that brings most, the smallest of those."""
    sizes = []
    while length > 0:
        brings = {size: min(size - place % size, length) for size in REQUESTS}
        size = max(REQUESTS, key=lambda request: brings[request])
        sizes.append(size)
        place += brings[size]
        length -= brings[size]
    return sizes
