"""A tile of Gemmini's library as a loop nest."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from tilegrad.accelerator import AXES
from tilegrad.machines.gemmini.calls import ORDER
from tilegrad.machines.gemmini.template import LEVELS
from tilegrad.mapping import LoopNest
from tilegrad.mapping.covers import ceil_div
from tilegrad.mapping.factors import divisors
from tilegrad.shape.conv import DIMS

_ACCUMULATOR, _SCRATCHPAD = LEVELS.index("Accumulator"), LEVELS.index("Scratchpad")
_INNER_ORDER = "KSRCNQP"
"""Weights stay in the array while it runs over the pixels."""


def tile_nest(tile: Mapping[str, int], bounds: Mapping[str, int], width: int) -> LoopNest:
    """Return the nest ``[level, dim]`` of a tile of extents by dim, on arrays of ``width``.

    As many tiles as cover the bounds: the nest is padded where they do not divide them.
    """
    lanes = {dim: largest_divisor(tile[dim], width) for dim in "CK"}
    temporal = torch.ones(len(LEVELS), len(DIMS), dtype=torch.float64)
    spatial = torch.ones(len(LEVELS), len(AXES), len(DIMS), dtype=torch.float64)
    for place, dim in enumerate(DIMS):
        temporal[0 if dim == "P" else _ACCUMULATOR, place] = tile[dim] // lanes.get(dim, 1)
        temporal[-1, place] = ceil_div(bounds[dim], tile[dim])
    spatial[_ACCUMULATOR, 0, DIMS.index("C")] = lanes["C"]
    spatial[_SCRATCHPAD, 0, DIMS.index("K")] = lanes["K"]
    inner, outer = torch.tensor([DIMS.index(dim) for dim in _INNER_ORDER]), torch.tensor(ORDER)
    return LoopNest(temporal, spatial, torch.stack([inner, inner, inner, outer]))


def largest_divisor(size: int, most: int) -> int:
    """Return the largest divisor of ``size`` up to ``most``."""
    return max(divisor for divisor in divisors(size) if divisor <= most)


def pixel_extents(rows: int, bounds: Mapping[str, int]) -> dict[str, int]:
    """Return the most whole images, or else rows or pixels of one, that ``rows`` pixels hold."""
    extents = {}
    for dim in "PQN":
        extents[dim] = max(1, min(rows, bounds[dim]))
        rows //= extents[dim]
    return extents
