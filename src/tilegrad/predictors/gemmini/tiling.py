"""What of a mapping reaches Gemmini's library: the tile, the order of DRAM's loops, the layer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.dims import DIMS, STRIDES, C, K, N, P, Q, R, S
from tilegrad.mapping import Mapping

_DIMS, _STRIDES = len(DIMS), len(STRIDES)


@dataclass(frozen=True)
class Tiling:
    """``tile``, ``bounds [..., dim]``, ``strides [..., 4]``, ``order [..., position]``.

    The tile is the product of all factors inside the outermost level's loops, spatial ones
    included; the order is that of the outermost level's loops, outermost first.
    """

    tile: Tensor
    bounds: Tensor
    strides: Tensor
    order: Tensor

    @classmethod
    def of(cls, nests: Mapping, bounds: Tensor, strides: Tensor) -> Tiling:
        """Return the tiling of mappings, whose batch broadcasts with the layers'."""
        inner = nests.temporal[..., :-1, :].prod(-2)
        tile = inner * nests.spatial.prod(-2).prod(-2)
        order = nests.order[..., -1, :].to(tile.dtype)
        batch = torch.broadcast_shapes(nests.batch_shape, bounds.shape[:-1], strides.shape[:-1])
        parts = (tile, bounds, strides, order)
        return cls(*(part.expand(*batch, part.shape[-1]) for part in parts))

    def packed(self) -> Tensor:
        """Return all as columns ``[..., column]``."""
        return torch.cat([self.tile, self.bounds, self.strides, self.order], -1)

    @classmethod
    def unpacked(cls, columns: Tensor) -> Tiling:
        """Return the tiling that ``packed`` made."""
        # A dim's numbers side by side in memory: all that follows reads one dim after another.
        columns = columns.movedim(-1, 0).contiguous().movedim(0, -1)
        tile, bounds, strides, order = columns.split([_DIMS, _DIMS, _STRIDES, _DIMS], -1)
        return cls(tile, bounds, strides, order.long())

    @property
    def is_matmul(self) -> Tensor:
        """Whether the layer is a matrix product to the library: one pixel column, no kernel."""
        bounds = self.bounds
        lone = torch.minimum(bounds[..., P], bounds[..., Q]) == 1
        return (bounds[..., R] == 1) & (bounds[..., S] == 1) & lone

    def rows(self) -> tuple[Tensor, Tensor]:
        """Return the rows of a matrix product, and those of its tile."""
        pixels = [P, Q, N]
        return self.bounds[..., pixels].prod(-1), self.tile[..., pixels].prod(-1)

    def channels(self, dim: int) -> tuple[Tensor, Tensor]:
        """Return bound and tile of ``C`` or ``K``."""
        assert dim in (C, K)
        return self.bounds[..., dim], self.tile[..., dim]
