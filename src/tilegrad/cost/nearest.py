"""The nearest legal mapping that fits: fewest moves of one prime factor to another loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.cost.hardware import excess
from tilegrad.mapping.factors import divisors
from tilegrad.mapping.loopnest import LoopNest
from tilegrad.mapping.shorthand import format_shorthand
from tilegrad.nest import analyse

BEAM = 256
"""Mappings that are followed after each move: least overflow and fewest loops out of place."""


@dataclass(frozen=True)
class Nearest:
    """A mapping ``[level, dim]`` that fits, and how many factor moves it is away."""

    mapping: LoopNest
    moves: int


@dataclass(frozen=True)
class _Places:
    """Where each dim may have loops: rows of the flattened factors, by dim."""

    levels: int
    of: tuple[tuple[int, ...], ...]

    @classmethod
    def on(cls, accelerator: Accelerator) -> _Places:
        levels = len(accelerator.levels)
        of: list[tuple[int, ...]] = []
        for dim in range(len(accelerator.shape.dims)):
            rows = list(range(levels))
            for index, level in enumerate(accelerator.levels):
                for axis, fanout in level.fanout.items():
                    if dim in fanout.dims:
                        rows.append(levels + index * len(AXES) + AXES.index(axis))
            of.append(tuple(rows))
        return cls(levels, tuple(of))

    def misplaced(self, factors: Tensor) -> Tensor:
        """Return the log of the factors ``[..., place, dim]`` that lie where none may."""
        legal = torch.zeros(factors.shape[-2:], dtype=torch.bool)
        for dim, rows in enumerate(self.of):
            legal[list(rows), dim] = True
        return factors.log().masked_fill(legal, 0.0).sum((-2, -1))


def nearest_fitting(
    mapping: LoopNest, strides: Tensor, accelerator: Accelerator, hardware: Mapping[str, float]
) -> Nearest | None:
    """Return the nearest legal mapping that fits ``hardware`` to an integer one ``[level, dim]``.

    Loops may lie side by side where they may not; all else is legal already. A move takes a
    prime factor of one loop to another loop of its dim. Exact for up to one move, and for more as
    long as fewer than ``BEAM`` mappings lie on the way. None where none fits.
    """
    places = _Places.on(accelerator)
    beam = _flatten(mapping).unsqueeze(0)
    for moves in range(int(torch.log2(beam.clamp(min=1)).sum()) + 1):
        nests = _nests(beam, mapping.order, places)
        nest = analyse(nests, strides, accelerator)
        over = excess(accelerator.requirements, nest, hardware).expand(len(beam))
        over = over + places.misplaced(beam)
        best = over.argsort(stable=True)
        if float(over[best[0]]) <= 0:
            return Nearest(nests[int(best[0])], moves)
        beam = _children(beam[best[:BEAM]], places)
        if not len(beam):
            return None
    return None


def nearest_text(
    mapping: LoopNest, strides: Tensor, accelerator: Accelerator, hardware: Mapping[str, float]
) -> str:
    """Return what ``nearest_fitting`` finds, in words."""
    found = nearest_fitting(mapping, strides, accelerator, hardware)
    if found is None:
        return "no mapping of this layer fits"
    moves = "1 factor moved" if found.moves == 1 else f"{found.moves} factors moved"
    return f"the nearest that fits, {moves}: {format_shorthand(found.mapping, accelerator)!r}"


def _flatten(mapping: LoopNest) -> Tensor:
    """Return all factors as ``[place, dim]``: temporal levels, then spatial levels and axes."""
    return torch.cat([mapping.temporal, mapping.spatial.flatten(0, 1)])


def _nests(factors: Tensor, order: Tensor, places: _Places) -> LoopNest:
    temporal, spatial = factors[:, : places.levels], factors[:, places.levels :]
    spread = spatial.unflatten(1, (places.levels, len(AXES)))
    return LoopNest(temporal, spread, order.expand(len(factors), *order.shape))


def _children(parents: Tensor, places: _Places) -> Tensor:
    """Return every mapping one move away from some parent, each once."""
    found = []
    for dim, rows in enumerate(places.of):
        for source in range(parents.shape[1]):
            for prime in _primes(parents[:, source, dim]):
                movable = parents[parents[:, source, dim] % prime == 0]
                for target in rows:
                    if target != source:
                        moved = movable.clone()
                        moved[:, source, dim] /= prime
                        moved[:, target, dim] *= prime
                        found.append(moved)
    return torch.cat(found).unique(dim=0) if found else parents[:0]


def _primes(factors: Tensor) -> list[int]:
    """Return the primes that divide some of the factors."""
    found = set()
    for factor in factors.unique().tolist():
        found |= {d for d in divisors(int(factor)) if d > 1 and len(divisors(d)) == 2}
    return sorted(found)
