"""One layer as a call of Gemmini's ``tiled_conv`` or ``tiled_matmul``.

The calls tile a layer for the scratchpad; the loops over tiles are theirs, in one fixed order.
Gemmini's rows are Timeloop's H axis (Q, S), its columns the W axis (P, R).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch

from tilegrad.dims import DIMS
from tilegrad.errors import InfeasibleError
from tilegrad.mapping import Mapping as LoopNest
from tilegrad.targets.gemmini.generator import Generator
from tilegrad.workload import Problem

GEMMINI_ORDER = "NQPKSRC"
"""The loops over tiles in both calls, outermost first."""

LARGEST = 2**16 - 1
LARGEST_STRIDE = 2**8 - 1
LARGEST_DILATION = 2**10 - 1
LARGEST_TENSOR = 2**31 - 1
"""What the fields of Gemmini's loop instructions and the calls' int arithmetic hold."""


@dataclass(frozen=True)
class Tiled:
    """A layer with the nest ``[level, dim]`` that Gemmini walks; ``generator`` is the hardware."""

    problem: Problem
    nest: LoopNest
    generator: Generator

    @cached_property
    def tile(self) -> dict[str, int]:
        """Extent of each dim in the scratchpad: every loop inside DRAM's."""
        inside = self.nest.temporal[:-1].prod(0) * self.nest.spatial.prod(0).prod(0)
        return {dim: int(extent) for dim, extent in zip(DIMS, inside.tolist(), strict=True)}

    @property
    def bounds(self) -> dict[str, int]:
        """The layer's loop bounds by dim."""
        return dict(zip(DIMS, self.problem.bounds, strict=True))

    @property
    def rows_dim(self) -> str | None:
        """The dim of a matrix product's rows; None where the layer is not one.

        A tile that is neither whole blocks of the array nor the whole dim would be rounded up by
        ``tiled_matmul``; ``tiled_conv`` takes it as it is.
        """
        bounds, tile = self.bounds, self.tile
        rows = [dim for dim in "NPQ" if bounds[dim] > 1] or ["P"]
        if len(rows) > 1 or bounds["R"] * bounds["S"] > 1:
            return None
        whole = (tile[d] % self.generator.dim == 0 or tile[d] == bounds[d] for d in (*rows, *"KC"))
        return rows[0] if all(whole) else None

    @property
    def input_rows_columns(self) -> tuple[int, int]:
        """The height and width of the Inputs."""
        return self._window(self.bounds)

    def _window(self, extent: dict[str, int]) -> tuple[int, int]:
        wstride, hstride, wdilation, hdilation = self.problem.strides
        rows = (extent["Q"] - 1) * hstride + (extent["S"] - 1) * hdilation + 1
        return rows, (extent["P"] - 1) * wstride + (extent["R"] - 1) * wdilation + 1

    def blocks(self, dim: str) -> int:
        """Return how many blocks of the array a tile spans in a dim."""
        return math.ceil(self.tile[dim] / self.generator.dim)

    @property
    def rows(self) -> tuple[int, int]:
        """Rows of the scratchpad and the accumulator that a tile takes, as the calls count them."""
        side = self.generator.dim
        if self.rows_dim:
            height, filters, channels = (self.blocks(dim) for dim in (self.rows_dim, *"KC"))
            return product_rows(height, filters, channels, side)
        return convolution_rows(self.tile, self.problem.strides, side)

    @property
    def excess(self) -> float:
        """How many times too many rows the fuller memory takes; at most 1 fits."""
        return max(
            rows / most for rows, most in zip(self.rows, self.generator.tile_rows, strict=True)
        )


def product_rows(rows: int, filters: int, channels: int, side: int) -> tuple[int, int]:
    """Return the rows of scratchpad and accumulator of a tile of ``tiled_matmul``, in blocks."""
    return (rows + filters) * channels * side, rows * filters * side


def convolution_rows(
    tile: Mapping[str, int], strides: tuple[int, ...], side: int
) -> tuple[int, int]:
    """Return the rows of scratchpad and accumulator that a tile of ``tiled_conv`` takes.

    Its inputs are one stride more than the window: the call's own bound.
    """
    wstride, hstride, wdilation, hdilation = strides
    wide = tile["P"] * wstride + (tile["R"] - 1) * wdilation
    high = tile["Q"] * hstride + (tile["S"] - 1) * hdilation
    channels, filters = (math.ceil(tile[dim] / side) for dim in "CK")
    weights = filters * tile["R"] * tile["S"] * tile["C"]
    outputs = filters * tile["N"] * tile["P"] * tile["Q"]
    return channels * tile["N"] * high * wide + weights, outputs


def tiled(problem: Problem, nest: LoopNest, hardware: Generator) -> Tiled:
    """Return the call nearest to a found nest: Gemmini's order, a tile that it has room for.

    Gemmini's memories hold whole rows, so a tile of few channels can take more than the words it
    has. Then one prime factor after another goes from the tile to the loops over tiles, always
    the one that leaves the least excess. Raises ``InfeasibleError`` where not even one step of
    the array fits.
    """
    order = nest.order.clone()
    order[-1] = torch.tensor([DIMS.index(dim) for dim in GEMMINI_ORDER])
    found = Tiled(problem, LoopNest(nest.temporal, nest.spatial, order), hardware)
    while found.excess > 1:
        smaller = [Tiled(problem, nest, hardware) for nest in _smaller(found.nest)]
        if not smaller:
            raise InfeasibleError(
                f"one step of the array takes {found.rows[0]:,} rows of the scratchpad and "
                f"{found.rows[1]:,} of the accumulator; there are {hardware.tile_rows[0]:,} and "
                f"{hardware.tile_rows[1]:,}"
            )
        found = min(smaller, key=lambda candidate: candidate.excess)
    return found


def _smaller(nest: LoopNest) -> list[LoopNest]:
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
    bounds = dict(zip(DIMS, problem.bounds, strict=True))
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
    for dim, bound in bounds.items():
        if bound > LARGEST:
            return f"{dim} = {bound} (legal for tiled_conv: at most {LARGEST})"
    for tensor, words in problem.tensor_sizes().items():
        if words > LARGEST_TENSOR:
            return f"{words:,} {tensor} (legal for tiled_conv: at most {LARGEST_TENSOR:,} words)"
    return None
