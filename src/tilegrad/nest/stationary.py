"""How often a tile without halo is moved."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import reduce
from itertools import accumulate
from operator import mul

import torch
from torch import Tensor

from tilegrad.nest.loops import Loops


def stationary_moves(levels: Sequence[Loops], relevant: Collection[int], one: Tensor) -> Tensor:
    """Return how often one instance's tile moves over the loops of ``levels``.

    ``relevant`` dims move it: the product of the loops without the innermost run of others.
    ``still`` is how much of the tile has not moved inside a loop: 1 before any relevant loop, 0
    after one. No loops at all make ``one``.
    """
    moves = still = one
    for loops in levels:
        moving = loops.along(relevant)
        stays = (1 - loops.present * moving).unbind(0)
        *inside, still = accumulate(stays, mul, initial=still)
        stills = torch.stack(torch.broadcast_tensors(*inside))
        again = (loops.bound - 1) * (1 - stills * (1 - moving))
        moves = reduce(mul, (1 + again).unbind(0), moves)
    return moves
