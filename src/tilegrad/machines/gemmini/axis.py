"""One axis of a convolution: output tiles, the input they read, the padding at the image's ends.

The library reads, for a tile of ``p`` outputs and ``r`` kernel positions, ``p * stride + r - 1``
inputs, of which those in the padding are not in memory. A tile that lies in the padding as a whole
has a negative size there, which wraps around 16 bits: the machine then reads 65,536 rows more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from tilegrad.machines.gemmini.calls import input_extent

WRAP = 65_536


@dataclass(frozen=True)
class Axis:
    """Bounds, tiles, stride and dilation ``[...]`` of an output dim and its kernel dim.

    Programs that are ``padded [...]`` pad by half the kernel, rounded down, at either end, and read
    ``bound * stride`` inputs: an even kernel makes one output more, which is a tile of its own.
    The others read the inputs that the outputs need; the library takes a tile's window to reach to
    the next stride, and what the last one lacks there for padding.

    Tiles that are ``ragged [...]`` need not divide: the last one of the axis is shorter. Those are
    whole; the others may be relaxed, and then there are as many as the bound is times the tile.
    """

    bound: Tensor
    tile: Tensor
    kernel: Tensor
    kernel_tile: Tensor
    stride: Tensor
    dilation: Tensor
    padded: Tensor
    ragged: Tensor

    @cached_property
    def extra(self) -> Tensor:
        """1 where there is an output more, else 0."""
        return (self.padded & (self.kernel > 1) & (self.kernel % 2 == 0)).to(self.bound.dtype)

    @property
    def outputs(self) -> Tensor:
        """Outputs along the axis."""
        return self.bound + self.extra

    @cached_property
    def tiles(self) -> Tensor:
        """Output tiles along the axis."""
        return tiles_of(self.bound, self.tile, self.ragged) + self.extra

    @cached_property
    def kernel_tiles(self) -> Tensor:
        """Kernel tiles along the axis."""
        return tiles_of(self.kernel, self.kernel_tile, self.ragged)

    def extent(self, tile: Tensor) -> Tensor:
        """Inputs that a tile of outputs reads, padding included."""
        return input_extent(tile, self.kernel_tile, self.stride, self.dilation)

    def windows(self) -> Tensor:
        """Return the inputs that all tiles read, padding included, for every kernel tile."""
        tiles = tiles_of(self.bound, self.tile, self.ragged)
        one = torch.ones_like(self.tile)
        every = tiles * self.extent(self.tile) + self.extra * self.extent(one)
        ragged = self.kernel_tiles * self.bound * self.stride
        ragged = ragged + tiles * (self.kernel - self.kernel_tiles) * self.dilation
        return torch.where(self.ragged, ragged, self.kernel_tiles * every)

    def inputs(self) -> Tensor:
        """Return the inputs in memory that all tiles read, for every kernel tile."""
        tiles = tiles_of(self.bound, self.tile, self.ragged)
        before = torch.floor(self.kernel / 2) * self.padded
        reach = (self.kernel - 1) * self.dilation - before
        after = torch.where(self.padded, reach, self.stride - 1)
        total = self.windows() + self._outside(before, tiles) + self._outside(after, tiles)
        if bool(self.extra.any()):
            ends = (before - self.bound * self.stride, after + self.stride)
            total = total + self.extra * sum(self._outside_last(end) for end in ends)
        return total

    def _outside(self, padding: Tensor, tiles: Tensor) -> Tensor:
        """Return the change by the padding at one end, counted over tiles from that end."""
        reach = int(padding.max()) if padding.numel() else 0
        # Tiles are an input long at least: others do not touch the padding.
        pairs = [(tile, kernel) for tile in range(reach) for kernel in range(reach - tile)]
        if not pairs:
            return torch.zeros_like(self.tile)
        steps = torch.tensor(pairs, dtype=self.tile.dtype, device=self.tile.device)
        over = (
            padding.unsqueeze(-1) - torch.stack([self._step(), self._kernel_step()], -1) @ steps.T
        )
        if bool(self.ragged.any()):
            # Seen from the end, the first tile is the short one.
            short = (self.bound - tiles * self.tile).unsqueeze(-1) * (steps[:, 0] > 0)
            rest = self.kernel - self.kernel_tiles * self.kernel_tile
            kernel_short = rest.unsqueeze(-1) * (steps[:, 1] > 0)
            less = short * self.stride.unsqueeze(-1) + kernel_short * self.dilation.unsqueeze(-1)
            over = torch.where(self.ragged.unsqueeze(-1), over - less, over)
        there = _present(tiles, steps[:, 0]) * _present(self.kernel_tiles, steps[:, 1])
        return (_change(over, self.extent(self.tile).unsqueeze(-1)) * there).sum(-1)

    def _outside_last(self, over: Tensor) -> Tensor:
        """Return the change for the one output that an even kernel adds, at one end.

        ``over`` is what its first or last kernel tile has in the padding there, less than 0 for
        none.
        """
        steps = torch.arange(
            max(0, int(over.max())), dtype=self.tile.dtype, device=self.tile.device
        )
        over = over.unsqueeze(-1) - self._kernel_step().unsqueeze(-1) * steps
        extent = self.extent(torch.ones_like(self.tile)).unsqueeze(-1)
        return (_change(over, extent) * _present(self.kernel_tiles, steps)).sum(-1)

    def _step(self) -> Tensor:
        return self.tile * self.stride

    def _kernel_step(self) -> Tensor:
        return self.kernel_tile * self.dilation


def tiles_of(bound: Tensor, tile: Tensor, ragged: Tensor) -> Tensor:
    """Return the tiles ``[...]`` of a dim: whole numbers where they are ``ragged``."""
    return torch.where(ragged, torch.ceil(bound / tile), bound / tile)


def _present(count: Tensor, steps: Tensor) -> Tensor:
    """Return for steps 0, 1, ... how much of that tile there is, ``[..., step]``."""
    return (count.unsqueeze(-1) - steps).clamp(0, 1)


def _change(over: Tensor, extent: Tensor) -> Tensor:
    """Return what padding of ``over`` takes from ``extent``, a wrap around 16 bits included."""
    padding = over.clamp(min=0)
    # Half an input of slack: sizes are whole but for rounding.
    wrapped = (extent.detach() - padding.detach() < -0.5).to(extent.dtype)
    return wrapped * WRAP - padding
