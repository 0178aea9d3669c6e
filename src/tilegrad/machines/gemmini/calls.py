"""Which of the library's calls runs a layer, in which order, and what its tile occupies.

``tiled_matmul`` takes matrix products, ``tiled_conv_dw`` depthwise convolutions and ``tiled_conv``
all else, one group a call. Sizes are numbers or tensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from torch import Tensor

from tilegrad.shape.conv import DIMS, C, K, N, P, Q, R, S

ORDER = (N, Q, P, K, S, R, C)
"""The loops over tiles in all calls, outermost first; of what a call runs of one group."""

G = len(DIMS)
"""The groups' place, behind a convolution's own dims."""
GROUPED_ORDER, DEPTHWISE_ORDER = (G, *ORDER), (N, Q, P, K, G, S, R, C)
"""With groups: a call for each, or the channels that ``tiled_conv_dw`` takes one by one."""

CALLS = ("exported", "tiled_conv", "tiled_matmul", "tiled_conv_dw")
"""Which call runs a layer: the one that ``tilegrad export`` writes, or a given one."""
AS_EXPORTED, CONVOLUTION, PRODUCT, DEPTHWISE = CALLS

Size = TypeVar("Size", int, Tensor)


def is_product(bounds: Tensor, strides: Tensor) -> Tensor:
    """Return which layers ``[...]`` run as matrix products, whatever their tiles.

    ``bounds [..., dim]``, ``strides [..., 4]``. A product's rows are the pixels of all images:
    those of a 1 x 1 kernel lie one after another in memory where no stride parts them. For images
    of several rows and columns the library's own ``tiled_conv`` is the slower one, as measured.
    """
    one = bounds == 1
    packed = (one[..., P] | (strides[..., 0] == 1)) & (one[..., Q] | (strides[..., 1] == 1))
    return one[..., R] & one[..., S] & packed


def is_depthwise(bounds: Tensor, strides: Tensor) -> Tensor:
    """Return which layers ``[...]`` of several groups ``tiled_conv_dw`` runs.

    Those of one channel and one filter a group; the call knows no dilation.
    """
    dilation = strides[..., 2:]
    return (bounds[..., C] == 1) & (bounds[..., K] == 1) & (dilation == 1).all(-1)


def is_line_of_pixels(bounds: Tensor, strides: Tensor) -> Tensor:
    """Return which layers ``[...]`` the published programs ran as products; see ``is_product``.

    To them, an image of several rows and columns is a convolution, 1 x 1 ones too.
    """
    one = bounds == 1
    return is_product(bounds, strides) & (one[..., P] | one[..., Q])


def product_rows(rows: Size, filters: Size, channels: Size, side: Size) -> tuple[Size, Size]:
    """Return the rows of scratchpad and accumulator of a product's tile, given in blocks.

    A block is ``side`` by ``side``, the array.
    """
    return (rows + filters) * channels * side, rows * filters * side


def convolution_rows(
    tile: Mapping[int, Size], window: tuple[Size, Size], blocks: tuple[Size, Size]
) -> tuple[Size, Size]:
    """Return the rows of scratchpad and accumulator that a convolution's tile takes.

    ``tile`` is its extent by dim, ``window`` what it reads along P and along Q (``input_extent``),
    ``blocks`` those of the array that hold its channels and its filters.
    """
    channels, filters = blocks
    inputs = tile[N] * window[0] * window[1] * channels
    weights = tile[R] * tile[S] * tile[C] * filters
    return inputs + weights, tile[P] * tile[Q] * tile[N] * filters


def input_extent(outputs: Size, taps: Size, stride: Size, dilation: Size) -> Size:
    """Return the inputs that a tile takes along an axis: one stride more than its window."""
    return outputs * stride + (taps - 1) * dilation
