"""One layer as a call of Gemmini's ``tiled_conv``, ``tiled_matmul`` or ``tiled_conv_dw``.

The calls tile a layer for the scratchpad; the loops over tiles are theirs, in one fixed order.
Convolutions of several groups are a call of ``tiled_conv`` for each.
Gemmini's rows are Timeloop's H axis (Q, S), its columns the W axis (P, R).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch

from tilegrad.errors import InfeasibleError
from tilegrad.machines.gemmini.calls import (
    CONVOLUTION,
    DEPTHWISE,
    DEPTHWISE_ORDER,
    GROUPED_ORDER,
    ORDER,
    PRODUCT,
    convolution_rows,
    input_extent,
    is_depthwise,
    is_product,
    product_rows,
)
from tilegrad.machines.gemmini.generator import Generator
from tilegrad.machines.gemmini.given import TILES, GivenCall
from tilegrad.mapping import LoopNest
from tilegrad.shape.conv import CONV, DIMS, GROUPED
from tilegrad.workload import Problem

LARGEST = 2**16 - 1
LARGEST_STRIDE = 2**8 - 1
LARGEST_DILATION = 2**10 - 1
LARGEST_TENSOR = 2**31 - 1
"""What the fields of Gemmini's loop instructions and the calls' int arithmetic hold."""


@dataclass(frozen=True)
class Tiled:
    """A layer with the nest ``[level, dim]`` that Gemmini walks; ``generator`` is the hardware.

    Where a call is ``given``, it runs with its tile, and the nest only stands for it.
    """

    problem: Problem
    nest: LoopNest
    generator: Generator
    given: GivenCall | None = None

    @cached_property
    def tile(self) -> dict[str, int]:
        """Extent of each dim in the scratchpad: every loop inside DRAM's."""
        if self.given is not None:
            extents = self.given.extents(self.bounds, self.generator.dim)
            return {dim: int(extent) for dim, extent in extents.items()}
        inside = self.nest.temporal[:-1].prod(0) * self.nest.spatial.prod(0).prod(0)
        sizes = inside[: len(DIMS)].tolist()
        return {dim: int(extent) for dim, extent in zip(DIMS, sizes, strict=True)}

    @property
    def bounds(self) -> dict[str, int]:
        """The loop bounds by dim, of one group."""
        return bounds_of(self.problem)

    @property
    def groups(self) -> int:
        """How many convolutions the layer is, whose channels lie side by side."""
        return groups_of(self.problem)

    @property
    def filters(self) -> int:
        """The filters of all groups."""
        return self.groups * self.bounds["K"]

    @cached_property
    def is_depthwise(self) -> bool:
        """Whether ``tiled_conv_dw`` runs the layer."""
        return runs_channel_by_channel(self.problem)

    @cached_property
    def is_product(self) -> bool:
        """Whether ``tiled_matmul`` runs the layer, else ``tiled_conv``."""
        return runs_as_product(self.problem) if self.given is None else self.given.is_product

    @property
    def product(self) -> tuple[int, int, int]:
        """Rows, filters and channels of a matrix product; its rows are the pixels of all images."""
        return product_sizes(self.bounds)

    @property
    def product_blocks(self) -> tuple[int, int, int]:
        """The tile of a product in blocks of the array, rounded up: the call knows no others."""
        side = self.generator.dim
        rows, filters, channels = (math.ceil(n / side) for n in product_sizes(self.tile))
        return rows, filters, channels

    @property
    def call(self) -> GivenCall:
        """The call of the library that runs the layer, with its tile."""
        if self.is_product:
            return GivenCall(PRODUCT, dict(zip(TILES[PRODUCT], self.product_blocks, strict=True)))
        return GivenCall.of_extents(DEPTHWISE if self.is_depthwise else CONVOLUTION, self.tile)

    @property
    def input_rows_columns(self) -> tuple[int, int]:
        """The height and width of the Inputs."""
        return self._window(self.bounds)

    def _window(self, extent: dict[str, int]) -> tuple[int, int]:
        wstride, hstride, wdilation, hdilation = self.problem.strides
        rows = (extent["Q"] - 1) * hstride + (extent["S"] - 1) * hdilation + 1
        return rows, (extent["P"] - 1) * wstride + (extent["R"] - 1) * wdilation + 1

    @property
    def rows(self) -> tuple[int, int]:
        """Rows of the scratchpad and the accumulator that a tile takes, as the calls count them."""
        side = self.generator.dim
        if self.is_product:
            return product_rows(*self.product_blocks, side)
        return conv_rows(self.tile, self.problem.strides, side)

    @property
    def excess(self) -> float:
        """How many times too many rows the fuller memory takes; at most 1 fits."""
        return max(
            rows / most for rows, most in zip(self.rows, self.generator.tile_rows, strict=True)
        )


def runs_as_product(problem: Problem) -> bool:
    """Return whether a layer is a matrix product to the library."""
    layer = torch.tensor(problem.bounds), torch.tensor(problem.strides)
    return groups_of(problem) == 1 and bool(is_product(*layer))


def runs_channel_by_channel(problem: Problem) -> bool:
    """Return whether a layer is a depthwise convolution to the library."""
    layer = torch.tensor(problem.bounds), torch.tensor(problem.strides)
    return groups_of(problem) > 1 and bool(is_depthwise(*layer))


def call_of(problem: Problem) -> str:
    """Return which of the library's calls runs a layer."""
    if runs_as_product(problem):
        return PRODUCT
    return DEPTHWISE if runs_channel_by_channel(problem) else CONVOLUTION


def bounds_of(problem: Problem) -> dict[str, int]:
    """Return a convolution's bounds by dim, of one group."""
    return dict(zip(DIMS, problem.bounds, strict=False))


def groups_of(problem: Problem) -> int:
    """Return the groups of a convolution."""
    return math.prod(problem.bounds[len(DIMS) :])


def product_sizes(extent: Mapping[str, int]) -> tuple[int, int, int]:
    """Return rows, filters and channels of a product of those extents by dim."""
    return extent["N"] * extent["Q"] * extent["P"], extent["K"], extent["C"]


def conv_rows(tile: Mapping[str, int], strides: tuple[int, ...], side: int) -> tuple[int, int]:
    """Return the rows of scratchpad and accumulator that a tile of ``tiled_conv`` takes."""
    wstride, hstride, wdilation, hdilation = strides
    window = (
        input_extent(tile["P"], tile["R"], wstride, wdilation),
        input_extent(tile["Q"], tile["S"], hstride, hdilation),
    )
    blocks = (math.ceil(tile["C"] / side), math.ceil(tile["K"] / side))
    extents = {place: tile[dim] for place, dim in enumerate(DIMS)}
    return convolution_rows(extents, window, blocks)


def called(problem: Problem, nest: LoopNest, hardware: Generator, call: str) -> Tiled:
    """Return a given call, for which a nest stands.

    Raises ``InfeasibleError`` for one that cannot run the layer, or whose tile has no room.
    """
    given = GivenCall.read(call)
    own = call_of(problem)
    if given is None or given.name not in ({own, CONVOLUTION} if own == PRODUCT else {own}):
        raise InfeasibleError(
            f"its call is {call!r} (legal: a tile of {own}"
            f"{' or of tiled_conv' if own == PRODUCT else ''})"
        )
    found = Tiled(problem, nest, hardware, given)
    if found.excess > 1:
        raise InfeasibleError(f"its call {call} {_room(found)}")
    return found


def tiled(problem: Problem, nest: LoopNest, hardware: Generator) -> Tiled:
    """Return the call nearest to a found nest: Gemmini's order, a tile that it has room for.

    Gemmini's memories hold whole rows, so a tile of few channels can take more than the words it
    has. Then one prime factor after another goes from the tile to the loops over tiles, always
    the one that leaves the least excess. Raises ``InfeasibleError`` where not even one step of
    the array fits.
    """
    found = Tiled(problem, in_order(nest, problem), hardware)
    while found.excess > 1:
        smaller = [Tiled(problem, nest, hardware) for nest in smaller_tiles(found.nest)]
        if not smaller:
            raise InfeasibleError(f"one step of the array {_room(found)}")
        found = min(smaller, key=lambda candidate: candidate.excess)
    return found


def in_order(nest: LoopNest, problem: Problem) -> LoopNest:
    """Return a nest with the library's order of loops over tiles, all those over groups there."""
    temporal, spatial, order = (part.clone() for part in (nest.temporal, nest.spatial, nest.order))
    if (groups := groups_of(problem)) == 1:
        order[..., -1, :] = torch.tensor(ORDER)
    else:
        by_channel = runs_channel_by_channel(problem)
        order[..., -1, :] = torch.tensor(DEPTHWISE_ORDER if by_channel else GROUPED_ORDER)
        temporal[..., -1], spatial[..., -1] = 1, 1
        temporal[..., -1, -1] = groups
    return LoopNest(temporal, spatial, order)


def _room(layer: Tiled) -> str:
    (operands, sums), most = layer.rows, layer.generator.tile_rows
    return (
        f"takes {operands:,} rows of the scratchpad and {sums:,} of the accumulator; there are "
        f"{most[0]:,} and {most[1]:,}"
    )


def smaller_tiles(nest: LoopNest) -> list[LoopNest]:
    """Return the nests with one prime factor moved out of the tile, largest factors first."""
    found = []
    for level in range(len(nest.temporal) - 1):
        for dim in range(len(DIMS)):
            factor = int(nest.temporal[level, dim])
            prime = next((p for p in range(2, factor + 1) if factor % p == 0), None)
            if prime is not None:
                temporal = nest.temporal.clone()
                temporal[level, dim] /= prime
                temporal[-1, dim] *= prime
                found.append(LoopNest(temporal, nest.spatial, nest.order))
    return found


def obstacle(problem: Problem) -> str | None:
    """Return why Gemmini's calls cannot run a layer, or None."""
    if problem.shape not in (CONV, GROUPED):
        return f"a {problem.shape.told} (legal: conv; a matmul is one of ones)"
    bounds, groups = bounds_of(problem), groups_of(problem)
    wstride, hstride, wdilation, hdilation = problem.strides
    pairs = (
        ("kernel", bounds["R"], bounds["S"], LARGEST),
        ("stride", wstride, hstride, LARGEST_STRIDE),
        ("dilation", wdilation, hdilation, LARGEST_DILATION),
    )
    for name, wide, high, most in pairs:
        if wide != high:
            return f"{name} {wide} x {high} (legal for tiled_conv: equal along both axes)"
        if wide > most:
            return f"{name} {wide} (legal for tiled_conv: at most {most})"
    side_by_side = {f"{dim} x G": bounds[dim] * groups for dim in "CK"} if groups > 1 else {}
    for dim, bound in {**bounds, **side_by_side}.items():
        if bound > LARGEST:
            return f"{dim} = {bound} (legal for tiled_conv: at most {LARGEST})"
    for tensor, words in problem.tensor_sizes().items():
        if words > LARGEST_TENSOR:
            return f"{words:,} {tensor} (legal for tiled_conv: at most {LARGEST_TENSOR:,} words)"
    return None


def not_calibrated(problem: Problem) -> str | None:
    """Return why no table of measurements holds a layer, or None."""
    if groups_of(problem) > 1:
        return f"a {problem.shape.told} (legal: conv of one group; tables of others there are none)"
    return obstacle(problem)
