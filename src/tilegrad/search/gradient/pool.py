"""Candidate mappings of each layer, priced on many hardware points at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.cost.footprint import Footprint, concatenate_footprints
from tilegrad.search.distinct import distinct
from tilegrad.search.points import Points


def price(sums: Footprint, points: Points) -> tuple[Tensor, Tensor]:
    """Return energy [pJ] and latency [cycles] of each mapping on each point, ``[point, row]``.

    Infinite where the mapping does not fit.
    """
    energy = points.rates @ sums.energy_words.T
    ratios = (
        words / width.unsqueeze(-1)
        for words, width in zip(sums.port_words.unbind(-1), points.widths.unbind(-1), strict=True)
    )
    latency = next(ratios).clone()
    for ratio in ratios:
        torch.maximum(latency, ratio, out=latency)
    misfit = (sums.excess.squeeze(-1) > 0).expand_as(energy).clone()
    for need, have in zip(sums.needs.unbind(-1), points.limits.unbind(-1), strict=True):
        misfit |= need > have.unsqueeze(-1)
    return energy.masked_fill_(misfit, torch.inf), latency.masked_fill_(misfit, torch.inf)


@dataclass(frozen=True)
class LayerPool:
    """Candidates of one layer: ``factors [row, slot]``, ``order [row]`` (index), footprints."""

    factors: Tensor
    order: Tensor
    sums: Footprint

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, rows: Tensor) -> LayerPool:
        return LayerPool(self.factors[rows], self.order[rows], self.sums[rows])

    def pack(self) -> list[Tensor]:
        """Return the tensors that ``unpack`` makes a pool of."""
        return [self.factors, self.order, *self.sums.parts]

    @classmethod
    def unpack(cls, tensors: list[Tensor]) -> LayerPool:
        """Invert ``pack``."""
        factors, order, *sums = tensors
        return cls(factors, order, Footprint(*sums))


def merge(pools: list[LayerPool]) -> LayerPool:
    """Return the candidates of several pools of one layer, each once."""
    factors = torch.cat([pool.factors for pool in pools])
    order = torch.cat([pool.order for pool in pools])
    sums = concatenate_footprints([pool.sums for pool in pools])
    keys = torch.cat([factors, order.unsqueeze(-1)], -1)
    kept = distinct(keys).sort().values
    return LayerPool(factors[kept], order[kept], sums[kept])
