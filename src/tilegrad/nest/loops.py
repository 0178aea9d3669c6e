"""Temporal loops laid out innermost first, batched over mappings.

Notation: f is a loop's bound; u = min(f - 1, 1) is 1 for a loop that is there and 0 for one that
is not, and runs between for relaxed bounds, so that counts are continuous where a loop vanishes;
e is the extent of the loop's dim inside the loop (how far one step moves).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from tilegrad.mapping.batch import broadcast_shapes


@dataclass(frozen=True)
class Loops:
    """A sequence of loops, innermost first; tensors ``[position, ...]``, batches broadcast.

    Loops of one position have different dims in different mappings of the batch.
    """

    dim: Tensor
    bound: Tensor
    present: Tensor
    step: Tensor
    _dims: dict[int, Tensor] = field(default_factory=dict, compare=False)
    _sets: dict[frozenset[int], Tensor] = field(default_factory=dict, compare=False)

    def __len__(self) -> int:
        return len(self.bound)

    def along(self, dims: Collection[int]) -> Tensor:
        """Return 1.0 where a loop's dim is one of ``dims``, else 0.0."""
        key = frozenset(dims)
        if not key:
            return torch.zeros_like(self.bound)
        if key not in self._sets:
            for dim in key - self._dims.keys():
                self._dims[dim] = self.dim == dim
            self._sets[key] = reduce(or_, (self._dims[dim] for dim in key)).double()
        return self._sets[key]


def level_loops(
    bounds: Sequence[Float64[Tensor, "*#batch"]],
    steps: Sequence[Float64[Tensor, "*#batch"]],
    order: Int64[Tensor, "position ..."],
) -> Loops:
    """Return one level's loops without the positions that no mapping of the batch uses.

    ``bounds`` and ``steps`` hold one tensor per dim; ``order [position, ...]`` outermost first.
    """
    stacked = torch.stack(torch.broadcast_tensors(*bounds, *steps))
    rank = max(stacked.dim(), order.dim()) - 1
    inner_first = _align(order.flip(0), rank)
    stacked = _align(stacked, rank)
    shape = broadcast_shapes(stacked.shape[1:], inner_first.shape[1:])
    index = inner_first.expand(len(bounds), *shape)
    bound = stacked[: len(bounds)].expand(len(bounds), *shape).gather(0, index)
    step = stacked[len(bounds) :].expand(len(bounds), *shape).gather(0, index)
    dim = inner_first.to(torch.int8)
    if not bound.requires_grad and readable(bound):
        used = (bound != 1).reshape(len(bound), -1).any(1)
        dim, bound, step = dim[used], bound[used], step[used]
    return Loops(dim, bound, (bound - 1).clamp(0, 1), step)


def readable(tensor: Tensor) -> bool:
    """Return whether values can be looked at without waiting for a device to compute them.

    What leaves out the work of absent factors asks first; elsewhere all of it is done, to the same
    figures.
    """
    return tensor.device.type == "cpu"


def _align(tensor: Tensor, rank: int) -> Tensor:
    """Give ``[first, ...]`` a batch of ``rank`` dimensions, as broadcasting would."""
    missing = rank - (tensor.dim() - 1)
    return tensor.reshape(len(tensor), *[1] * missing, *tensor.shape[1:])


def join(levels: Sequence[Loops]) -> Loops:
    """Return the loops of several levels, innermost level first, as one sequence."""
    if len(levels) == 1:
        return levels[0]

    def concatenate(parts: Sequence[Tensor]) -> Tensor:
        shape = broadcast_shapes(*(part.shape[1:] for part in parts))
        return torch.cat([part.expand(len(part), *shape) for part in parts])

    return Loops(
        concatenate([loops.dim for loops in levels]),
        concatenate([loops.bound for loops in levels]),
        concatenate([loops.present for loops in levels]),
        concatenate([loops.step for loops in levels]),
    )
