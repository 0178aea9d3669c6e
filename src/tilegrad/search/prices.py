"""Energy and latency of one layer's candidates on many hardware points, by any cost model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from tilegrad.cost.footprint import Footprint
from tilegrad.cost.model import CostModel, Roofline
from tilegrad.search.pool import Points, price

PAIRS_AT_ONCE = 32_768
"""Candidates, each on one hardware point, that a model is asked for together."""

Weights = tuple[Tensor, Tensor]
"""What a pJ and a cycle of a layer weigh on each point, ``[point]``."""


class Prices(Protocol):
    """Prices ``[point, row]``, infinite where a row does not fit."""

    @property
    def energy(self) -> Tensor:
        """Energy in pJ."""
        ...

    @property
    def latency(self) -> Tensor:
        """Latency in cycles, once ``settle`` was called."""
        ...

    @property
    def guess(self) -> Tensor:
        """Some latency to begin with."""
        ...

    def settle(self, weights: Weights, slack: float) -> None:
        """See that all latencies are there whose weighted cost is within ``slack`` of the best."""
        ...


@dataclass(frozen=True)
class NestPrices:
    """The nest's own latency costs so little that it is there from the beginning."""

    energy: Tensor
    latency: Tensor

    @property
    def guess(self) -> Tensor:
        """The latency."""
        return self.latency

    def settle(self, weights: Weights, slack: float) -> None:
        """Do nothing."""


class ModelPrices:
    """Latency by a model that costs microseconds a row: asked for only where it can matter.

    No latency is below zero, so the weighted energy alone bounds a candidate's cost from below:
    what exceeds the best cost by its energy need not be asked for, and stays infinite.
    """

    def __init__(self, sums: Footprint, points: Points, model: CostModel) -> None:
        self.energy, self.guess = price(sums, points)
        self.latency = torch.full_like(self.energy, torch.inf)
        self._open = self.energy < torch.inf
        self._sums, self._points, self._model = sums, points, model

    def settle(self, weights: Weights, slack: float) -> None:
        """Ask for what may be within ``slack`` of the best, beginning with the likely best."""
        for_energy, for_latency = (weight.unsqueeze(-1) for weight in weights)
        energy = self.energy * for_energy
        likely = (energy + self.guess * for_latency).nan_to_num(nan=torch.inf, posinf=torch.inf)
        self._ask(torch.zeros_like(self._open).scatter(1, likely.argmin(1, keepdim=True), True))
        cost = (energy + self.latency * for_latency).nan_to_num(nan=torch.inf, posinf=torch.inf)
        # A weight of zero: some other layer has no candidate that fits the point.
        self._ask((energy <= cost.amin(1, keepdim=True) * (1 + slack)) & (for_energy > 0))

    def _ask(self, wanted: Tensor) -> None:
        wanted &= self._open
        self._open &= ~wanted
        pairs = wanted.nonzero()
        if not len(pairs):
            return
        for point, row in (chunk.unbind(1) for chunk in pairs.split(PAIRS_AT_ONCE)):
            hardware = {name: value[point] for name, value in self._points.hardware.items()}
            found = self._model.cycles(self._sums[row], self._points.accelerator, hardware)
            self.latency[point, row] = found


def prices(sums: Footprint, points: Points, model: CostModel) -> Prices:
    """Return the prices of one layer's candidates ``[row]`` on all points."""
    if isinstance(model, Roofline):
        return NestPrices(*price(sums, points))
    return ModelPrices(sums, points, model)
