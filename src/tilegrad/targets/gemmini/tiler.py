"""The tiles that Gemmini's own library chooses: its ``_auto`` calls.

``tiled_matmul_auto``, ``tiled_conv_auto``, for each group, and ``tiled_conv_dw_auto``.

The greedy rules of gemmini-rocc-tests' ``gemmini.h`` (weight-stationary, without pooling), written
from their documented behaviour: a product's tile grows from a square of the accumulator, a
convolution's shrinks from the whole layer, largest extent first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tilegrad.machines.gemmini.calls import ORDER, PRODUCT, product_rows
from tilegrad.machines.gemmini.generator import Generator
from tilegrad.machines.gemmini.given import TILES, GivenCall
from tilegrad.machines.gemmini.nests import pixel_extents
from tilegrad.shape.conv import DIMS
from tilegrad.targets.gemmini.layers import (
    bounds_of,
    call_of,
    conv_rows,
    product_sizes,
    runs_as_product,
)
from tilegrad.workload import Problem

_LOOPS = tuple(DIMS[dim] for dim in ORDER)
"""The order in which the rule looks at the dims of a convolution; ties go to the first."""

Fits = Callable[[dict[str, int]], bool]


def library_call(problem: Problem, hardware: Generator) -> GivenCall:
    """Return the library's call for a layer, with its tile."""
    if runs_as_product(problem):
        sizes = library_blocks(problem, hardware)
        return GivenCall(PRODUCT, dict(zip(TILES[PRODUCT], sizes, strict=True)))
    return GivenCall.of_extents(call_of(problem), library_tile(problem, hardware))


def library_tile(problem: Problem, hardware: Generator) -> dict[str, int]:
    """Return the extent of each dim in the tile; it need not divide the layer's bound.

    A product's rows are pixels in a row of all images; the extents are the most whole images, or
    rows of one, among them.
    """
    bounds = bounds_of(problem)
    if not runs_as_product(problem):
        return convolution_tile(problem, hardware)
    sizes, blocks = product_sizes(bounds), library_blocks(problem, hardware)
    rows, filters, channels = (
        min(held * hardware.dim, size) for held, size in zip(blocks, sizes, strict=True)
    )
    return dict.fromkeys("RS", 1) | pixel_extents(rows, bounds) | {"C": channels, "K": filters}


def library_blocks(problem: Problem, hardware: Generator) -> list[int]:
    """Return rows, filters and channels of a product's tile, in blocks of the array."""
    sizes = product_sizes(bounds_of(problem))
    return _product([math.ceil(size / hardware.dim) for size in sizes], hardware)


def _product(whole: Sequence[int], hardware: Generator) -> list[int]:
    """Return rows, filters and channels of a product's tile, in blocks of the array."""
    most_operands, most_sums = hardware.tile_rows
    side = hardware.dim
    square = max(1, math.isqrt(most_sums // side))
    depth = max(1, most_operands // 2 // side // square)
    tile = [min(size, most) for size, most in zip(whole, (square, square, depth), strict=True)]

    def fits(candidate: list[int]) -> bool:
        operands, sums = product_rows(candidate[0], candidate[1], candidate[2], side)
        inside = all(size <= most for size, most in zip(candidate, whole, strict=True))
        return inside and operands <= most_operands and sums <= most_sums

    grown = True
    while grown:
        grown = False
        for place in (1, 0, 2):
            candidate = [size + (index == place) for index, size in enumerate(tile)]
            if fits(candidate):
                tile, grown = candidate, True
    return tile


def convolution_tile(problem: Problem, hardware: Generator) -> dict[str, int]:
    """Return the extent of each dim in the tile of a convolution, of a product too."""
    bounds = bounds_of(problem)

    def fits(candidate: dict[str, int]) -> bool:
        rows = conv_rows(candidate, problem.strides, hardware.dim)
        return all(size <= most for size, most in zip(rows, hardware.tile_rows, strict=True))

    tile = dict(bounds)
    while not fits(tile) and max(tile.values()) > 1:
        dim = _largest(tile, hardware.dim)
        tile[dim] = _smaller(tile[dim], dim, hardware.dim)
    _grow(tile, bounds, "P", fits)
    while any([_step(tile, bounds, dim, fits) for dim in _LOOPS]):
        pass
    return tile


def _largest(tile: dict[str, int], side: int) -> str:
    """Return the largest dim; columns that fill the array no more than once go last."""
    spared = {"P"} if tile["P"] <= side and tile["Q"] > 1 else set()
    return max((dim for dim in _LOOPS if dim not in spared), key=lambda dim: tile[dim])


def _smaller(size: int, dim: str, side: int) -> int:
    """Return the next size to try: whole blocks of channels and filters."""
    if dim not in "KC":
        return size - 1
    return max(1, size // side * side if size % side else size - side)


def _grow(tile: dict[str, int], bounds: dict[str, int], dim: str, fits: Fits) -> None:
    while _step(tile, bounds, dim, fits):
        pass


def _step(tile: dict[str, int], bounds: dict[str, int], dim: str, fits: Fits) -> bool:
    """Add one to a dim of the tile where it is within the bound and fits; return whether."""
    candidate = {**tile, dim: tile[dim] + 1}
    if candidate[dim] > bounds[dim] or not fits(candidate):
        return False
    tile[dim] += 1
    return True
