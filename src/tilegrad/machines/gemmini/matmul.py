"""The commands of the library's tiled matrix product, counted over all tiles."""

from __future__ import annotations

import torch
from torch import Tensor

from tilegrad.machines.gemmini.calls import product_rows
from tilegrad.machines.gemmini.counts import LEAST_ROWS, PAGE, Counts
from tilegrad.machines.gemmini.packets import LINE, packets
from tilegrad.machines.gemmini.rounding import between, ceil_div
from tilegrad.machines.gemmini.system import System
from tilegrad.machines.gemmini.template import ACCUMULATOR_BYTES
from tilegrad.machines.gemmini.tiling import Tiling
from tilegrad.shape.conv import C, K


def matmul_counts(
    tiling: Tiling, mesh: Tensor, system: System
) -> tuple[Counts, tuple[Tensor, ...]]:
    """Return the counts of matrix products ``[...]``, and their tile: rows, channels, filters."""
    rows, row_tile = tiling.rows()
    channels, filters = tiling.bounds[..., C], tiling.bounds[..., K]
    row_blocks, row_tiles, executed, row_extent = _rows(tiling, rows, row_tile, mesh)
    c_blocks, c_tiles, c_pieces, c_requests, c_beats, c_size, c_extent, *_ = _bytes(
        tiling, channels, tiling.tile[..., C], mesh, system
    )
    k_blocks, k_tiles, k_pieces, k_requests, k_beats, k_size, k_extent, *biased = _bytes(
        tiling, filters, tiling.tile[..., K], mesh, system
    )
    input_times, weight_times = tiling.loads(row_tiles, k_tiles, c_tiles)
    weight_rows = channels * weight_times
    # A bias is read once for the rows of a block that it is written to.
    bias_commands, bias_requests, bias_beats = biased or (torch.zeros_like(rows), 0, 0)
    k_pages = (filters / PAGE).clamp(max=1)
    scratchpad, accumulator = product_rows(row_extent / mesh, k_size, c_size, mesh)
    counts = Counts(
        tiles=row_tiles * c_tiles * k_tiles,
        input_requests=rows * input_times * c_tiles * c_requests,
        input_beats=rows * input_times * c_tiles * c_beats,
        input_pages=rows * c_pieces * input_times * (channels / PAGE).clamp(max=1),
        input_rows=rows * input_times * c_blocks,
        input_moves=row_blocks * input_times * c_pieces,
        weight_requests=weight_rows * k_tiles * k_requests + row_blocks * k_tiles * bias_requests,
        weight_beats=weight_rows * k_tiles * k_beats + row_blocks * k_tiles * bias_beats,
        weight_pages=weight_rows * k_pieces * k_pages,
        weight_rows=weight_rows * k_blocks,
        weight_moves=c_blocks * weight_times * k_pieces,
        zero_rows=rows * bias_commands,
        executed_rows=c_blocks * k_blocks * executed,
        computes=c_blocks * k_blocks * row_blocks,
        preloads=c_blocks * k_blocks * row_tiles,
        store_requests=rows * k_tiles * k_requests,
        stores=row_blocks * k_pieces,
        store_pages=rows * k_blocks * k_pages,
        scratchpad_bytes=scratchpad * mesh,
        accumulator_bytes=accumulator * mesh * ACCUMULATOR_BYTES,
    )
    return counts, (torch.minimum(row_extent, rows), c_extent, k_extent)


def _rows(tiling: Tiling, bound: Tensor, tile: Tensor, mesh: Tensor) -> tuple[Tensor, ...]:
    """Return blocks, tiles, rows executed for one block of weights, and the tile's rows."""
    blocks = ceil_div(bound, mesh)
    block = mesh.clamp(min=LEAST_ROWS)
    last = (bound - mesh * (blocks - 1)).clamp(min=LEAST_ROWS)

    def counted(size: Tensor) -> tuple[Tensor, ...]:
        held = tiling.blocks(size, mesh)
        # The first block of a tile brings new weights, which takes the array's full height.
        alone = (blocks - 1) % held == 0
        executed = block * (blocks - 1) + torch.where(alone, block, last)
        return ceil_div(blocks, held), executed, held * mesh

    tiles, executed, extent = between(counted, tile)
    return blocks, tiles, executed, extent


def _bytes(
    tiling: Tiling, bound: Tensor, tile: Tensor, mesh: Tensor, system: System
) -> tuple[Tensor, ...]:
    """Return blocks, tiles, pieces over all tiles; a tile's requests, beats, blocks and bytes.

    Then, of a bias, where there is one: commands for a row over all tiles, and a tile's requests
    and beats.
    """
    blocks = ceil_div(bound, mesh)
    line = torch.full_like(mesh, LINE)
    held_by_piece = torch.floor(LINE / mesh).clamp(min=1)

    def counted(size: Tensor) -> tuple[Tensor, ...]:
        held = tiling.blocks(size, mesh)
        whole = torch.floor(blocks / held)
        rest = blocks - whole * held
        pieces = whole * ceil_div(held, held_by_piece) + ceil_div(rest, held_by_piece)
        extent = torch.minimum(held * mesh, bound)
        moved = packets(extent, bound, line, system.beat)
        found = ceil_div(blocks, held), pieces, *moved, held, extent
        if not system.bias:
            return found
        biases = torch.floor(LINE / (ACCUMULATOR_BYTES * mesh)).clamp(min=1)
        commands = whole * ceil_div(held, biases) + ceil_div(rest, biases)
        words = extent * ACCUMULATOR_BYTES, bound * ACCUMULATOR_BYTES
        return *found, commands, *packets(*words, line, system.beat)

    return blocks, *between(counted, tile)
