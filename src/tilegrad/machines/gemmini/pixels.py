"""Several kernel columns in one block of the array: how few channels use its rows.

Where a tile has at most half as many channels as the array has rows, ``tiled_conv`` puts the
channels of several neighbouring pixels side by side (``HAS_FIRST_LAYER_OPTIMIZATIONS``): a block of
weights then holds several columns of the kernel, and every pixel that is loaded is written to as
many rows of the scratchpad, one after another.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from tilegrad.machines.gemmini.axis import Axis
from tilegrad.machines.gemmini.rounding import ceil_div, mean_tile
from tilegrad.machines.gemmini.tiling import Tiling
from tilegrad.shape.conv import C, R, S

Pair = Callable[[Tensor, Tensor], Tensor]


def tap_blocks(
    tiling: Tiling, wide: Axis, channels: Tensor, blocks: Tensor, mesh: Tensor
) -> Tensor:
    """Return the blocks of taps and channels over all tiles of both, ``[...]``.

    ``channels`` are the tiles along C, ``blocks`` those of the array in a mean one.
    """
    bounds = tiling.bounds
    plain = bounds[..., R] * bounds[..., S] * channels * blocks
    shared = _shared(tiling, wide, mesh)
    if not bool(shared.any()):
        return plain

    def counted(taps: Tensor, held: Tensor) -> Tensor:
        return ceil_div(taps, _pixels(taps, held, mesh)) * ceil_div(held, mesh)

    found = bounds[..., S] * wide.kernel_tiles * channels * _mean(counted, tiling, wide)
    return torch.where(shared, found, plain)


def written_columns(
    tiling: Tiling, wide: Axis, channels: Tensor, blocks: Tensor, mesh: Tensor
) -> Tensor:
    """Return the rows of the scratchpad that a row of an image is written to, over all its tiles.

    ``channels`` and ``blocks`` as for ``tap_blocks``.
    """
    plain = wide.windows() * channels * blocks
    shared = _shared(tiling, wide, mesh)
    if not bool(shared.any()):
        return plain

    def counted(taps: Tensor, held: Tensor) -> Tensor:
        windows = wide.bound * wide.stride + wide.tiles.detach() * (taps - 1) * wide.dilation
        return windows * _pixels(taps, held, mesh) * ceil_div(held, mesh)

    return torch.where(shared, wide.kernel_tiles * channels * _mean(counted, tiling, wide), plain)


def _shared(tiling: Tiling, wide: Axis, mesh: Tensor) -> Tensor:
    """Return which layers may have several columns in a block, ``[...]``."""
    # A last tile may have few channels where the whole ones do not.
    few = (tiling.tile[..., C] < mesh / 2 + 1) | tiling.is_ragged
    return tiling.is_exported & few & (wide.kernel > 1) & (wide.dilation == 1)


def _pixels(taps: Tensor, channels: Tensor, mesh: Tensor) -> Tensor:
    return torch.minimum(torch.floor(mesh / channels).clamp(min=1), taps)


def _mean(function: Pair, tiling: Tiling, wide: Axis) -> Tensor:
    """Return ``function`` of a mean tile's taps along R and channels, bilinear between whole."""
    tile = tiling.tile[..., C]
    found = _bilinear(function, wide.kernel_tile, tile)
    ragged = tiling.is_ragged
    if not bool(ragged.any()):
        return found

    def of_taps(taps: Tensor) -> tuple[Tensor, ...]:
        return mean_tile(
            lambda held: (function(taps, held),), tiling.bounds[..., C], _whole(tile), ragged
        )

    (last,) = mean_tile(of_taps, wide.kernel, _whole(wide.kernel_tile), ragged)
    return torch.where(ragged, last, found)


def _bilinear(function: Pair, taps: Tensor, channels: Tensor) -> Tensor:
    few, least = _whole(taps), _whole(channels)
    along, across = taps - few, channels - least
    near, far = (
        (1 - across) * function(size, least) + across * function(size, least + 1)
        for size in (few, few + 1)
    )
    return (1 - along) * near + along * far


def _whole(size: Tensor) -> Tensor:
    return size.detach().floor().clamp(min=1)
