"""What of a mapping reaches Gemmini's library: the tile, the order of DRAM's loops, the layer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.machines.gemmini.calls import ORDER, is_product
from tilegrad.machines.gemmini.rounding import ceil_div
from tilegrad.mapping import Mapping
from tilegrad.mapping.batch import broadcast_shapes
from tilegrad.shape.conv import DIMS, STRIDES, C, K, N, P, Q

_DIMS, _STRIDES = len(DIMS), len(STRIDES)

_MEASURED_BLOCK = 16.0


@dataclass(frozen=True)
class Tiling:
    """``tile``, ``bounds [..., dim]``, ``strides [..., 4]``, ``order [..., position]``.

    The tile is the product of all factors inside the outermost level's loops, spatial ones
    included; the order is that of the loops over tiles, outermost first.

    ``published [..., 1]`` is 1 where the programs are those of the published measurements, and 0
    where they are those that ``tilegrad export`` writes. The published ones

    - kept the mapping's order of DRAM's loops, where the library has one of its own;
    - gave products tiles of their size over 16, rounded down, in blocks of whatever array;
    - padded convolutions by half the kernel at either end, where exported ones read images that
      hold their padding.
    """

    tile: Tensor
    bounds: Tensor
    strides: Tensor
    order: Tensor
    published: Tensor

    @classmethod
    def of(cls, nests: Mapping, bounds: Tensor, strides: Tensor, published: bool) -> Tiling:
        """Return the tiling of mappings, whose batch broadcasts with the layers'."""
        inner = nests.temporal[..., :-1, :].prod(-2)
        tile = inner * nests.spatial.prod(-2).prod(-2)
        order = nests.order[..., -1, :].to(tile.dtype) if published else tile.new_tensor(ORDER)
        batch = broadcast_shapes(nests.batch_shape, bounds.shape[:-1], strides.shape[:-1])
        parts = (tile, bounds, strides, order, tile.new_full((1,), float(published)))
        return cls(*(part.expand(*batch, part.shape[-1]) for part in parts))

    def packed(self) -> Tensor:
        """Return all as columns ``[..., column]``."""
        return torch.cat([self.tile, self.bounds, self.strides, self.order, self.published], -1)

    @classmethod
    def unpacked(cls, columns: Tensor) -> Tiling:
        """Return the tiling that ``packed`` made."""
        # A dim's numbers side by side in memory: all that follows reads one dim after another.
        columns = columns.movedim(-1, 0).contiguous().movedim(0, -1)
        sizes = [_DIMS, _DIMS, _STRIDES, _DIMS, 1]
        tile, bounds, strides, order, published = columns.split(sizes, -1)
        return cls(tile, bounds, strides, order.long(), published)

    @property
    def is_matmul(self) -> Tensor:
        """Which layers are matrix products to the library, ``[...]``."""
        return is_product(self.bounds, self.strides)

    def blocks(self, size: Tensor, mesh: Tensor) -> Tensor:
        """Return how many blocks of the array a product's tile of ``size [...]`` has, whole ones.

        ``tiled_matmul`` knows no others.
        """
        measured = torch.floor(size / _MEASURED_BLOCK).clamp(min=1)
        return torch.where(self.published[..., 0] > 0, measured, ceil_div(size, mesh))

    def rows(self) -> tuple[Tensor, Tensor]:
        """Return the rows of a matrix product, and those of its tile."""
        pixels = [P, Q, N]
        return self.bounds[..., pixels].prod(-1), self.tile[..., pixels].prod(-1)

    def channels(self, dim: int) -> tuple[Tensor, Tensor]:
        """Return bound and tile of ``C`` or ``K``."""
        assert dim in (C, K)
        return self.bounds[..., dim], self.tile[..., dim]
