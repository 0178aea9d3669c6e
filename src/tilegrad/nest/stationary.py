"""How often a tile without halo (Weights, Outputs) is moved."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import accumulate
from operator import mul

import torch
from torch import Tensor

from tilegrad.dims import RELEVANT
from tilegrad.nest.loops import Loops


def stationary_moves(levels: Sequence[Loops], tensor: str) -> Tensor:
    """Return how often one instance's tile of ``tensor`` moves over the loops of ``levels``.

    The product of the loops without the innermost run of irrelevant ones. ``still`` is how much of
    the tile has not moved inside a loop: 1 before any relevant loop, 0 after one.
    """
    moves = still = torch.ones((), dtype=torch.float64)
    for loops in levels:
        relevant = loops.along(RELEVANT[tensor])
        stays = (1 - loops.present * relevant).unbind(0)
        *inside, still = accumulate(stays, mul, initial=still)
        stills = torch.stack(torch.broadcast_tensors(*inside))
        again = (loops.bound - 1) * (1 - stills * (1 - relevant))
        moves = reduce(mul, (1 + again).unbind(0), moves)
    return moves
