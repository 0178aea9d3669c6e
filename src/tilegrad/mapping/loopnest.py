"""Mappings as tensors: one batch of loop nests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from tilegrad.mapping.batch import broadcast_shapes
from tilegrad.shape.conv import DIMS


@dataclass(frozen=True)
class LoopNest:
    """A batch of loop nests over the levels of one accelerator, level 0 next to the arithmetic.

    - ``temporal [..., level, dim]``: loop bounds, integer-valued or relaxed, float64;
    - ``spatial [..., level, axis, dim]``: loops over the instances below a level, axes X and Y;
    - ``order [..., level, position]``: dims from the outermost loop to the innermost, int64.

    Leading dimensions of the three broadcast against each other.
    """

    temporal: Float64[Tensor, "*#batch level dim"]
    spatial: Float64[Tensor, "*#batch level axis dim"]
    order: Int64[Tensor, "*#batch level dim"]

    @property
    def batch_shape(self) -> torch.Size:
        """The broadcast shape of the leading dimensions."""
        return broadcast_shapes(
            self.temporal.shape[:-2], self.spatial.shape[:-3], self.order.shape[:-2]
        )

    def bounds(self) -> Float64[Tensor, "*batch dim"]:
        """Return the product of all factors, ``[..., dim]``."""
        return self.temporal.prod(-2) * self.spatial.prod(-2).prod(-2)

    def each(self, change: Callable[[Tensor], Tensor]) -> LoopNest:
        """Apply one function (indexing, a device move) to the three tensors."""
        return LoopNest(change(self.temporal), change(self.spatial), change(self.order))

    def alone(self) -> LoopNest:
        """Return a batch of this one, ``[1, ...]``."""
        return self.each(lambda tensor: tensor.unsqueeze(0))

    def over(self, count: int) -> LoopNest:
        """Return the nests over ``count`` dims: fewer, or more, whose factors are 1.

        Layers of different shapes share one batch so; dims beyond a layer's own stand innermost.
        """
        have = self.temporal.shape[-1]
        if count <= have:
            return self.each(lambda tensor: tensor[..., :count])
        more = torch.arange(have, count, device=self.order.device)
        return LoopNest(
            _with_ones(self.temporal, count - have),
            _with_ones(self.spatial, count - have),
            torch.cat([self.order, more.expand(*self.order.shape[:-1], -1)], -1),
        )

    def __getitem__(self, index: object) -> LoopNest:
        """Index the leading dimensions of an expanded batch."""
        return self.each(lambda tensor: tensor[index])  # type: ignore[index]


def _with_ones(factors: Tensor, more: int) -> Tensor:
    return torch.cat([factors, factors.new_ones(*factors.shape[:-1], more)], -1)


def stack(mappings: list[LoopNest]) -> LoopNest:
    """Stack mappings of equal batches and levels along a new leading dimension."""
    most = max(m.temporal.shape[-1] for m in mappings)
    mappings = [m if m.temporal.shape[-1] == most else m.over(most) for m in mappings]
    return LoopNest(
        torch.stack([m.temporal for m in mappings]),
        torch.stack([m.spatial for m in mappings]),
        torch.stack([m.order for m in mappings]),
    )


def concatenate(mappings: list[LoopNest]) -> LoopNest:
    """Concatenate batches along their first dimension."""
    return LoopNest(
        torch.cat([m.temporal for m in mappings]),
        torch.cat([m.spatial for m in mappings]),
        torch.cat([m.order for m in mappings]),
    )


def unit_mapping(levels: int, batch: tuple[int, ...] = (), count: int = len(DIMS)) -> LoopNest:
    """Return nests over ``count`` dims whose every factor is 1, loops in the dims' order."""
    return LoopNest(
        torch.ones(*batch, levels, count, dtype=torch.float64),
        torch.ones(*batch, levels, 2, count, dtype=torch.float64),
        torch.arange(count).expand(*batch, levels, count).clone(),
    )
