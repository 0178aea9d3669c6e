"""What of a mapping reaches Gemmini's library: the tile, the order of DRAM's loops, the layer."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from tilegrad.machines.gemmini.calls import (
    AS_EXPORTED,
    CALLS,
    DEPTHWISE,
    ORDER,
    PRODUCT,
    is_depthwise,
    is_line_of_pixels,
    is_product,
)
from tilegrad.machines.gemmini.rounding import ceil_div
from tilegrad.mapping import LoopNest
from tilegrad.mapping.batch import broadcast_shapes
from tilegrad.shape.conv import DIMS, STRIDES, C, K, N, P, Q

_DIMS, _STRIDES = len(DIMS), len(STRIDES)

_MEASURED_BLOCK = 16.0
_ROUNDING = 1e-9

PUBLISHED_BEGIN = 8
"""Nothing aligned the arrays of those programs but the compiler, to the processor's words."""


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
      hold their padding;
    - ran 1 x 1 kernels over images of several rows and columns as convolutions;
    - had a block of the array to one column of the kernel, and loaded every tile anew;
    - had their convolutions' tensors ``PUBLISHED_BEGIN`` bytes past a whole beat, not on one.

    ``call [..., 1]`` is one of ``CALLS``; ``ragged [..., 1]`` is 1 where tiles need not divide the
    layer, so that the last ones are shorter. Such tiles are whole. ``groups [..., 1]`` are as many
    convolutions, of which tile and bounds are one's: whatever loops the mapping has over groups,
    the library runs one after another.
    """

    tile: Tensor
    bounds: Tensor
    strides: Tensor
    order: Tensor
    published: Tensor
    call: Tensor
    ragged: Tensor
    groups: Tensor

    @classmethod
    def of(
        cls,
        nests: LoopNest,
        bounds: Tensor,
        strides: Tensor,
        published: bool,
        calls: Tensor | None = None,
    ) -> Tiling:
        """Return the tiling of mappings, whose batch broadcasts with the layers'.

        ``calls [..., 1 + dim]`` are places in ``CALLS`` and extents of tiles, 0 where those of the
        mapping; None: as the exporter chooses. The mapping's loops, or a given tile's, may cover
        more than the layer: then its tiles are ragged.
        """
        groups = bounds[..., _DIMS:].prod(-1, keepdim=True)
        bounds, temporal = bounds[..., :_DIMS], nests.temporal[..., :_DIMS]
        inner = temporal[..., :-1, :].prod(-2)
        tile = inner * nests.spatial[..., :_DIMS].prod(-2).prod(-2)
        order = nests.order[..., -1, :].to(tile.dtype) if published else tile.new_tensor(ORDER)
        batch = broadcast_shapes(nests.batch_shape, bounds.shape[:-1], strides.shape[:-1])
        covered = (tile * temporal[..., -1, :]).detach()
        call = tile.new_full((1,), CALLS.index(AS_EXPORTED))
        if calls is not None:
            given = calls[..., 1:]
            call, tile = calls[..., :1], torch.where(given > 0, given, tile)
            covered = torch.where(given > 0, given * torch.ceil(bounds / given), covered)
        ragged = (covered > bounds * (1 + _ROUNDING)).any(-1, keepdim=True).to(tile.dtype)
        flags = (tile.new_full((1,), float(published)), call.to(tile.dtype), ragged, groups)
        parts = (tile, bounds, strides, order, *flags)
        return cls(*(part.expand(*batch, part.shape[-1]) for part in parts))

    def packed(self) -> Tensor:
        """Return all as columns ``[..., column]``."""
        return torch.cat([getattr(self, field.name) for field in fields(self)], -1)

    @classmethod
    def unpacked(cls, columns: Tensor) -> Tiling:
        """Return the tiling that ``packed`` made."""
        # A dim's numbers side by side in memory: all that follows reads one dim after another.
        columns = columns.movedim(-1, 0).contiguous().movedim(0, -1)
        sizes = [_DIMS, _DIMS, _STRIDES, _DIMS, 1, 1, 1, 1]
        tile, bounds, strides, order, *flags = columns.split(sizes, -1)
        return cls(tile, bounds, strides, order.long(), *flags)

    @property
    def is_exported(self) -> Tensor:
        """Which programs are those that ``tilegrad export`` writes, ``[...]``."""
        return self.published[..., 0] == 0

    @property
    def is_ragged(self) -> Tensor:
        """Which tiles need not divide the layer, ``[...]``."""
        return self.ragged[..., 0] > 0

    @property
    def begin(self) -> Tensor:
        """The bytes past a line of the cache at which a convolution's tensors begin, ``[...]``."""
        return PUBLISHED_BEGIN * self.published[..., 0]

    @property
    def is_matmul(self) -> Tensor:
        """Which layers are matrix products to the library, ``[...]``."""
        layer = self.bounds, self.strides
        exported = torch.where(self.is_exported, is_product(*layer), is_line_of_pixels(*layer))
        return self._runs_by(PRODUCT, exported & (self.groups[..., 0] == 1))

    @property
    def is_depthwise(self) -> Tensor:
        """Which layers ``tiled_conv_dw`` runs, channel by channel, ``[...]``."""
        several = self.groups[..., 0] > 1
        return self._runs_by(DEPTHWISE, is_depthwise(self.bounds, self.strides) & several)

    def _runs_by(self, call: str, exported: Tensor) -> Tensor:
        """Return which layers run by a call, given or as ``exported`` ones ``[...]`` do."""
        given = self.call[..., 0] == CALLS.index(call)
        return torch.where(self.call[..., 0] == CALLS.index(AS_EXPORTED), exported, given)

    def loads(self, positions: Tensor, filters: Tensor, sums: Tensor) -> tuple[Tensor, Tensor]:
        """Return how often all inputs and all weights are loaded, from tiles ``[...]``.

        ``positions`` are those along rows, columns and images, ``filters`` along K, ``sums`` along
        all that is summed over. What has two tiles at most stays: each is loaded once.
        """

        def often(own: Tensor, others: Tensor) -> Tensor:
            # Between two and three tiles a relaxed mapping keeps a share.
            stays = (3 - own * sums).clamp(0, 1) * (self.is_exported & ~self.is_depthwise)
            return others + stays * (1 - others)

        return often(positions, filters), often(filters, positions)

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
