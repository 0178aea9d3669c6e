"""The commands of the library's tiled convolution, counted over all tiles."""

from __future__ import annotations

import torch
from torch import Tensor

from tilegrad.machines.gemmini.axis import Axis, tiles_of
from tilegrad.machines.gemmini.calls import convolution_rows
from tilegrad.machines.gemmini.counts import LEAST_ROWS, PAGE, Counts
from tilegrad.machines.gemmini.packets import LINE, packets
from tilegrad.machines.gemmini.pixels import tap_blocks, written_columns
from tilegrad.machines.gemmini.rounding import between, ceil_div, mean_tile
from tilegrad.machines.gemmini.system import System
from tilegrad.machines.gemmini.template import ACCUMULATOR_BYTES
from tilegrad.machines.gemmini.tiling import Tiling
from tilegrad.shape.conv import C, K, N, P, Q, R, S


def conv_counts(tiling: Tiling, mesh: Tensor, system: System) -> Counts:
    """Return the counts of convolutions ``[...]`` on arrays of ``mesh [...]`` rows and columns.

    Of all groups: the library runs one after another, whose channels are neighbours in memory.
    """
    bounds, tile = tiling.bounds, tiling.tile
    wide, high = axes(tiling)
    batches, channels, filters = (
        tiles_of(bounds[..., d], tile[..., d], tiling.is_ragged) for d in (N, C, K)
    )
    sums = wide.kernel_tiles * high.kernel_tiles * channels
    input_times, weight_times = tiling.loads(batches * wide.tiles * high.tiles, filters, sums)
    inputs = wide.inputs() * high.inputs() * bounds[..., N] * input_times * channels
    c_blocks, c_pieces, c_requests, c_beats = _channels(tiling, mesh, system.beat)
    k_blocks, k_pieces, k_requests, k_beats, k_zeros, stores, *biased = _filters(
        tiling, mesh, system
    )
    taps = bounds[..., R] * bounds[..., S]
    weights = taps * bounds[..., C] * weight_times * filters
    pixels = wide.outputs * high.outputs * bounds[..., N] * filters
    rows, first, spans = _columns(wide, mesh)
    blocks = tap_blocks(tiling, wide, channels, c_blocks, mesh) * filters * k_blocks
    written = written_columns(tiling, wide, channels, c_blocks, mesh)
    k_pages = (bounds[..., K] / PAGE).clamp(max=1)
    groups = tiling.groups[..., 0]
    c_pitch, k_pitch = (groups * bounds[..., dim] / PAGE for dim in (C, K))
    executed = bounds[..., N] * high.outputs * rows + batches * high.tiles * (
        wide.tiles * mesh - first
    ).clamp(min=0)
    # A bias is read once for the rows of the accumulator that a command writes it to.
    biases = high.outputs * bounds[..., N] * filters * spans
    bias_requests, bias_beats = (biases * each for each in biased or (0, 0))
    scratchpad, accumulator = convolution_rows(
        dict(enumerate(tile.unbind(-1))),
        (wide.extent(wide.tile), high.extent(high.tile)),
        _whole_blocks(tiling, mesh),
    )
    found = Counts(
        tiles=wide.tiles * wide.kernel_tiles * high.tiles * high.kernel_tiles
        * batches * channels * filters,
        input_requests=inputs * c_requests,
        input_beats=inputs * c_beats,
        input_pages=inputs * c_pieces * c_pitch.clamp(max=1),
        input_rows=written * high.windows() * bounds[..., N] * input_times,
        input_moves=_moves(wide, mesh) * high.windows() * bounds[..., N] * input_times
        * channels * c_pieces,
        weight_requests=weights * k_requests + bias_requests,
        weight_beats=weights * k_beats + bias_beats,
        weight_pages=weights * k_pieces * k_pages,
        weight_rows=weights * k_blocks,
        weight_moves=taps * channels * c_blocks * weight_times * filters * k_pieces,
        zero_rows=pixels * k_zeros,
        executed_rows=blocks * executed,
        computes=blocks * bounds[..., N] * high.outputs * spans,
        preloads=blocks * batches * high.tiles * wide.tiles,
        store_requests=pixels * stores,
        stores=high.outputs * bounds[..., N] * filters * spans * k_blocks,
        store_pages=pixels * k_blocks * k_pitch.clamp(max=1),
        scratchpad_bytes=scratchpad * mesh,
        accumulator_bytes=accumulator * mesh * ACCUMULATOR_BYTES,
    )  # fmt: skip
    return found.times(groups) if bool((groups > 1).any()) else found


def _moves(wide: Axis, mesh: Tensor) -> Tensor:
    """Return the load commands of a row of the images over all tiles: one a window at least.

    Of ``mesh`` pixels each; how the last ones of a window are fewer is left out.
    """
    return torch.maximum(wide.windows() / mesh, wide.tiles * wide.kernel_tiles)


def axes(tiling: Tiling) -> tuple[Axis, Axis]:
    """Return the axes of P and R, and of Q and S."""
    bounds, tile, strides = tiling.bounds, tiling.tile, tiling.strides
    padded = tiling.published[..., 0] > 0
    return (
        Axis(bounds[..., P], tile[..., P], bounds[..., R], tile[..., R],
             strides[..., 0], strides[..., 2], padded, tiling.is_ragged),
        Axis(bounds[..., Q], tile[..., Q], bounds[..., S], tile[..., S],
             strides[..., 1], strides[..., 3], padded, tiling.is_ragged),
    )  # fmt: skip


def _whole_blocks(tiling: Tiling, mesh: Tensor) -> tuple[Tensor, Tensor]:
    """Return the blocks of the array that hold a whole tile's channels, and its filters."""

    def counted(size: Tensor) -> tuple[Tensor, ...]:
        return (ceil_div(size, mesh),)

    (channels,), (filters,) = (between(counted, tiling.tile[..., dim]) for dim in (C, K))
    return channels, filters


def _channels(tiling: Tiling, mesh: Tensor, beat: int) -> tuple[Tensor, ...]:
    """Return blocks, pieces of a line, requests and beats of a pixel's channels in a mean tile."""
    pitch, tile = tiling.channels(C)
    line, begin = torch.full_like(mesh, LINE), tiling.begin

    def counted(size: Tensor) -> tuple[Tensor, ...]:
        found = packets(size, pitch, line, beat, begin)
        return ceil_div(size, mesh), ceil_div(size, LINE), *found

    return mean_tile(counted, pitch, tile, tiling.is_ragged)


def _filters(tiling: Tiling, mesh: Tensor, system: System) -> tuple[Tensor, ...]:
    """Return blocks, pieces, requests and beats of a weight's row; zeros and stores of a pixel's.

    Then, where there is one, requests and beats of a bias; all in a mean tile. Zeros and biases go
    to the accumulator, whose words have four bytes; stores have a block at a time.
    """
    pitch, tile = tiling.channels(K)
    line, begin = torch.full_like(mesh, LINE), tiling.begin
    zeros = torch.floor(LINE / (ACCUMULATOR_BYTES * mesh)).clamp(min=1) * mesh

    def counted(size: Tensor) -> tuple[Tensor, ...]:
        stores, _ = packets(size, pitch, mesh.clamp(max=LINE), system.beat, begin)
        loads = packets(size, pitch, line, system.beat, begin)
        pieces = ceil_div(size, LINE)
        found = ceil_div(size, mesh), pieces, *loads, ceil_div(size, zeros), stores
        if not system.bias:
            return found
        words = size * ACCUMULATOR_BYTES, pitch * ACCUMULATOR_BYTES
        return *found, *packets(*words, line, system.beat)

    return mean_tile(counted, pitch, tile, tiling.is_ragged)


def _columns(wide: Axis, mesh: Tensor) -> tuple[Tensor, ...]:
    """Return, over the tiles along P: rows executed, rows of first blocks, and blocks."""

    def counted(size: Tensor) -> tuple[Tensor, ...]:
        whole = torch.floor(size / mesh)
        rest = size - whole * mesh
        part = (rest > 0).to(size.dtype) * rest.clamp(min=LEAST_ROWS)
        block = mesh.clamp(min=LEAST_ROWS)
        first = torch.where(whole > 0, block, part)
        return whole * block + part, first, ceil_div(size, mesh)

    tiles = tiles_of(wide.bound, wide.tile, wide.ragged)
    counts = mean_tile(counted, wide.bound, wide.tile, wide.ragged)
    extras = (LEAST_ROWS, LEAST_ROWS, 1.0)
    return tuple(tiles * n + wide.extra * e for n, e in zip(counts, extras, strict=True))
