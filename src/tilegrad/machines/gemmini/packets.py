"""How Gemmini's DMA cuts a run of bytes into aligned requests, from a beat of its bus to a line."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from tilegrad.machines.gemmini.rounding import power_of_two

LINE = 64
"""Bytes of a cache line, the largest request."""
BEATS = (8, 16, 32, 64)
"""Bytes that buses of Gemmini's generator move in a cycle: powers of two up to a line."""
BEGINS = (0, 8)
"""Bytes past a line at which tensors may begin."""


def packets(
    length: Tensor, pitch: Tensor, piece: Tensor, beat: int, begin: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return requests and beats of a run of ``length`` bytes, moved in commands of ``piece``.

    ``beat`` is what the bus moves in a cycle [bytes], the smallest request; one of ``BEATS``.

    The run's place in memory is a multiple of the greatest common divisor of its length and the
    ``pitch`` [bytes] of rows; the counts are the mean over such places. All are whole floats, the
    piece at most a line. The tensor begins with a line, or as many bytes past one as ``begin`` says
    (one of ``BEGINS``).
    """
    step = power_of_two(length, pitch, LINE)
    row = step.to(length.dtype).log2().long() * (LINE + 1)
    if begin is not None:
        row = row + (begin > 0).long() * (LINE.bit_length() * (LINE + 1))
    whole = torch.floor(length / piece)
    rest = (length - whole * piece).long()
    table = _table(beat).to(length.device)
    of_piece, of_rest = row + piece.long(), row + rest
    requests, beats = (whole * each[of_piece] + each[of_rest] for each in table)
    return requests, beats


@cache
def _table(beat: int) -> Tensor:
    """Return (requests, beats) ``[2, begin * log2 step * bytes]`` for steps and bytes to a line."""
    steps = [2**power for power in range(LINE.bit_length())]
    counts = [
        _mean_of_places(length, step, begin, beat)
        for begin in BEGINS
        for step in steps
        for length in range(LINE + 1)
    ]
    return torch.tensor(counts, dtype=torch.float64).T.contiguous()


def _mean_of_places(length: int, step: int, begin: int, beat: int) -> tuple[float, float]:
    cuts = [_cut(begin + place, length, beat) for place in range(0, LINE, step)]
    return (
        sum(len(cut) for cut in cuts) / len(cuts),
        sum(size // beat for cut in cuts for size in cut) / len(cuts),
    )


def _cut(place: int, length: int, beat: int) -> list[int]:
    """Return the sizes of the requests: always the one that brings most, the smallest of those."""
    sizes = []
    requests = [size for size in BEATS if size >= beat]
    while length > 0:
        brings = {size: min(size - place % size, length) for size in requests}
        size = max(requests, key=lambda request: brings[request])
        sizes.append(size)
        place += brings[size]
        length -= brings[size]
    return sizes
