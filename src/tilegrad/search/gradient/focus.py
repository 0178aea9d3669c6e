"""Which candidates are worth keeping: those near the best on some hardware point of interest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tilegrad.cost.footprint import Footprint
from tilegrad.cost.latency import LatencyModel
from tilegrad.search.goal import Weights
from tilegrad.search.gradient.pool import LayerPool, price
from tilegrad.search.gradient.prices import prices, settle, weighted
from tilegrad.search.points import Points


@dataclass(frozen=True)
class Focus:
    """Hardware points of interest and the weights of energy and latency there.

    ``[point, network]``, or ``[point]`` of the network whose layers it is ``of``. A candidate is
    kept where its weighted cost is within ``slack`` of the best at some point.
    """

    points: Points
    weights: Weights
    slack: float
    model: LatencyModel

    def of(self, network: int) -> Focus:
        """Return what a network's layers are looked at with."""
        for_energy, for_latency = self.weights
        return replace(self, weights=(for_energy[:, network], for_latency[:, network]))

    def cost(self, sums: Footprint) -> Tensor:
        """Return weighted costs ``[point, row]``, infinite where a mapping does not fit.

        Also where it is certain to be further than ``slack`` from the best.
        """
        priced = prices(sums, self.points, self.model)
        settle([priced], [self.weights], self.slack)
        return weighted(priced.energy, priced.latency, self.weights)

    def prune(self, pool: LayerPool) -> LayerPool:
        """Return the candidates that are near the best at some point."""
        cost = self.cost(pool.sums)
        least = cost.amin(1, keepdim=True)
        enough = least * (1 + self.slack)
        if bool((self.weights[1] < 0).any()):
            # Under a cap of power a cycle may be worth something, and the cost about nothing.
            energy, _ = price(pool.sums, self.points)
            spent = (energy * self.weights[0].unsqueeze(-1)).gather(1, cost.argmin(1, keepdim=True))
            enough = torch.maximum(enough, least + self.slack * spent)
        return pool[((cost <= enough) & (cost < torch.inf)).any(0)]
