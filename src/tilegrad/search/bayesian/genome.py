"""A whole design as numbers from 0 to 1: of each layer its loop order and each dim's factors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float64
from torch import Tensor

from tilegrad.mapping import LoopNest, stack
from tilegrad.mapping.space import TEMPORAL
from tilegrad.search.tables import LayerTable


@dataclass(frozen=True)
class Gene:
    """One number: the choice among a dim's factors, or among the loop orders (``dim`` None).

    Of factors, ``ranked`` lists the choices, those that hold the least in the inner levels first.
    """

    layer: int
    dim: int | None
    ranked: Tensor

    def picked(self, shares: Float64[Tensor, " row"]) -> Tensor:
        """Return the choices of shares ``[row]`` of the way through them."""
        places = (shares * len(self.ranked)).long().clamp(0, len(self.ranked) - 1)
        return self.ranked[places]


@dataclass(frozen=True)
class Genome:
    """The genes of all layers; what has a single choice has none."""

    tables: Sequence[LayerTable]

    @cached_property
    def genes(self) -> list[Gene]:
        """The numbers' meanings, in order."""
        return [gene for layer, table in enumerate(self.tables) for gene in _genes(layer, table)]

    def __len__(self) -> int:
        return len(self.genes)

    def designs(self, points: Float64[Tensor, "design gene"]) -> LoopNest:
        """Return the designs ``[design, layer]`` of points; of zeros the smallest mappings."""
        factors = [
            torch.ones(len(points), len(table.space.slots), dtype=torch.float64)
            for table in self.tables
        ]
        orders = [torch.zeros(len(points), dtype=torch.int64) for _ in self.tables]
        for gene, shares in zip(self.genes, points.unbind(-1), strict=True):
            if gene.dim is None:
                orders[gene.layer] = gene.picked(shares)
            else:
                slots = list(self.tables[gene.layer].space.slots_of[gene.dim])
                factors[gene.layer][:, slots] = gene.picked(shares)
        nests = [
            table.nests(*parts) for table, *parts in zip(self.tables, factors, orders, strict=True)
        ]
        return stack(nests).each(lambda tensor: tensor.movedim(0, 1))


def _genes(layer: int, table: LayerTable) -> Iterator[Gene]:
    for dim, choices in enumerate(table.choices):
        if len(choices) > 1:
            yield Gene(layer, dim, choices[_held(table, dim, choices).argsort(stable=True)])
    if len(table.orders) > 1:
        yield Gene(layer, None, torch.arange(len(table.orders)))


def _held(table: LayerTable, dim: int, choices: Tensor) -> Tensor:
    """Return how much choices ``[choice, slot]`` keep in the inner levels."""
    slots = [table.space.slots[place] for place in table.space.slots_of[dim]]
    temporal = [place for place, slot in enumerate(slots) if slot.axis == TEMPORAL]
    spatial = [place for place, slot in enumerate(slots) if slot.axis != TEMPORAL]
    return choices[:, temporal].prod(-1).log() + choices[:, spatial].prod(-1).log() * 1e-6
