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
    """

    bound: Tensor
    tile: Tensor
    kernel: Tensor
    kernel_tile: Tensor
    stride: Tensor
    dilation: Tensor
    padded: Tensor

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
        return self.bound / self.tile + self.extra

    @cached_property
    def kernel_tiles(self) -> Tensor:
        """Kernel tiles along the axis."""
        return self.kernel / self.kernel_tile

    def extent(self, tile: Tensor) -> Tensor:
        """Inputs that a tile of outputs reads, padding included."""
        return input_extent(tile, self.kernel_tile, self.stride, self.dilation)

    def inputs(self) -> Tensor:
        """Return the inputs in memory that all tiles read, for every kernel tile."""
        tiles = self.bound / self.tile
        one = torch.ones_like(self.tile)
        every = tiles * self.extent(self.tile) + self.extra * self.extent(one)
        total = self.kernel_tiles * every
        before = torch.floor(self.kernel / 2) * self.padded
        reach = (self.kernel - 1) * self.dilation - before
        after = torch.where(self.padded, reach, self.stride - 1)
        total = total + self._outside(before, tiles) + self._outside(after, tiles)
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


def _present(count: Tensor, steps: Tensor) -> Tensor:
    """Return for steps 0, 1, ... how much of that tile there is, ``[..., step]``."""
    return (count.unsqueeze(-1) - steps).clamp(0, 1)


def _change(over: Tensor, extent: Tensor) -> Tensor:
    """Return what padding of ``over`` takes from ``extent``, a wrap around 16 bits included."""
    padding = over.clamp(min=0)
    # Half an input of slack: sizes are whole but for rounding.
    wrapped = (extent.detach() - padding.detach() < -0.5).to(extent.dtype)
    return wrapped * WRAP - padding
