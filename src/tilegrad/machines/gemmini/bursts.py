"""Lines that are missed together: the tiles that fetch any, and how often their commands wait."""

from __future__ import annotations

import torch
from torch import Tensor

from tilegrad.machines.gemmini.counts import Counts

REQUESTS_IN_FLIGHT = 16
"""Of the load DMA."""

LEAST_SHARE = 1e-6
"""Of tiles that fetch lines; there is no log of none."""


def bursts(counts: Counts, inputs: Tensor, weights: Tensor) -> Tensor:
    """Return the logs of tiles that fetch lines, and of waits for memory, ``[..., 3]``.

    ``inputs`` and ``weights [...]`` are lines that the last-level cache has not. What a cache keeps
    is fetched by a few tiles, which the others follow: a tile that misses does so with every
    request, so that a tensor's tiles that miss are its lines over its requests. Both tensors' are
    independent; of the two kinds of tiles that there are here, lines have the same mean and
    variance over tiles.

    A load command waits for memory once (waits of inputs', of weights' commands): its requests are
    under way together, and those that find no place follow as places get free, each after a
    ``REQUESTS_IN_FLIGHT``-th of a wait. Lines fall on commands at random.
    """
    squares = [
        lines * torch.maximum(requests, lines)
        for lines, requests in ((inputs, counts.input_requests), (weights, counts.weight_requests))
    ]
    share = (inputs + weights) ** 2 / (sum(squares) + 2 * inputs * weights)
    share = share.clamp(LEAST_SHARE, 1)

    def waits(lines: Tensor, moves: Tensor) -> Tensor:
        commands = share * moves
        each = lines / commands
        first = 1 - 1 / REQUESTS_IN_FLIGHT
        return (commands * (first * -torch.expm1(-each) + each / REQUESTS_IN_FLIGHT)).log()

    return torch.stack(
        [
            (share * counts.tiles).log(),
            waits(inputs, counts.input_moves),
            waits(weights, counts.weight_moves),
        ],
        -1,
    )
