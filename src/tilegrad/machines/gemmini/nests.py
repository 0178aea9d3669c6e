"""A tile of Gemmini's library as a loop nest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from tilegrad.accelerator import AXES
from tilegrad.machines.gemmini.calls import ORDER
from tilegrad.machines.gemmini.template import LEVELS
from tilegrad.mapping import LoopNest
from tilegrad.mapping.batch import broadcast_shapes
from tilegrad.mapping.covers import ceil_div, quotients
from tilegrad.mapping.factors import divisors
from tilegrad.shape.conv import DIMS

_ACCUMULATOR, _SCRATCHPAD = LEVELS.index("Accumulator"), LEVELS.index("Scratchpad")
_INNER_ORDER = "KSRCNQP"
"""Weights stay in the array while it runs over the pixels."""


def tile_nest(tile: Mapping[str, int], bounds: Mapping[str, int], width: int) -> LoopNest:
    """Return the nest ``[level, dim]`` of a tile of extents by dim, on arrays of ``width``.

    As many tiles as cover the bounds: the nest is padded where they do not divide them.
    """
    return _nest(tile, {dim: largest_divisor(tile[dim], width) for dim in "CK"}, bounds)


Sizes = Mapping[str, Tensor | int]


def _nest(tile: Sizes, lanes: Sizes, bounds: Mapping[str, int]) -> LoopNest:
    """Return the nests of tiles, whose extents and lanes broadcast against each other."""
    extents = {dim: torch.as_tensor(size, dtype=torch.float64) for dim, size in tile.items()}
    batch = broadcast_shapes(*(size.shape for size in extents.values()))
    temporal = torch.ones(*batch, len(LEVELS), len(DIMS), dtype=torch.float64)
    spatial = torch.ones(*batch, len(LEVELS), len(AXES), len(DIMS), dtype=torch.float64)
    for place, dim in enumerate(DIMS):
        inside = 0 if dim == "P" else _ACCUMULATOR
        temporal[..., inside, place] = extents[dim] // lanes.get(dim, 1)
        temporal[..., -1, place] = torch.ceil(bounds[dim] / extents[dim])
    spatial[..., _ACCUMULATOR, 0, DIMS.index("C")] = torch.as_tensor(lanes["C"]).double()
    spatial[..., _SCRATCHPAD, 0, DIMS.index("K")] = torch.as_tensor(lanes["K"]).double()
    inner, outer = torch.tensor([DIMS.index(dim) for dim in _INNER_ORDER]), torch.tensor(ORDER)
    order = torch.stack([inner, inner, inner, outer])
    return LoopNest(temporal, spatial, order.expand(*batch, -1, -1))


def even_nests(tile: Mapping[str, int], bounds: Mapping[str, int], width: int) -> LoopNest:
    """Return nests ``[nest, level, dim]`` with as many tiles as a ragged one, all equally long.

    What is left of a bound by a ragged tile is moved and computed once, where a nest of that tile
    would pad it to a whole one; so these say what ragged tiles take of each memory's accesses.
    Channels and filters are spread over up to ``width`` lanes in all ways that waste none.
    """
    even = {dim: ceil_div(bounds[dim], ceil_div(bounds[dim], tile[dim])) for dim in DIMS}
    channels, filters = (torch.tensor([*_lanes(even[dim], bounds[dim], width)]).T for dim in "CK")
    nests = _nest(
        {**even, "C": channels[0].unsqueeze(-1), "K": filters[0]},
        {"C": channels[1].unsqueeze(-1), "K": filters[1]},
        bounds,
    )
    return nests.each(lambda tensor: tensor.flatten(0, 1))


def _lanes(extent: int, bound: int, width: int) -> Iterator[tuple[int, int]]:
    """Yield tiles that just hold an extent and their lanes, for as many tiles of the bound."""
    seen: set[int] = set()
    for most in range(min(width, extent), 0, -1):
        steps = ceil_div(extent, most)
        lanes = ceil_div(extent, steps)
        covered = lanes * steps
        if lanes not in seen and ceil_div(bound, covered) == ceil_div(bound, extent):
            seen.add(lanes)
            yield covered, lanes


def pixel_tiles(rows: int, bounds: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Yield extents of P, Q and N that hold at most ``rows`` pixels, none of which could be larger.

    A product's rows are pixels of all images one after another, which a tile of ``rows`` cuts
    anywhere.
    """
    for wide in quotients(bounds["P"]):
        if wide > rows:
            break
        high = _most(quotients(bounds["Q"]), rows // wide)
        yield {"P": wide, "Q": high, "N": _most(quotients(bounds["N"]), rows // (wide * high))}


def _most(sizes: tuple[int, ...], most: int) -> int:
    return max(size for size in sizes if size <= most)


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
