"""What a search minimises over all its networks: their figures, and the rule that joins them.

On given hardware the networks part, since every rule grows with every network's figure: each has
mappings of its own that are best whatever the rule, which decides about the hardware alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tilegrad.search.caps import Caps
from tilegrad.search.objective import Objective
from tilegrad.workload import Workload

ABOVE = 1e100
"""More than any figure is: what exceeds a cap costs so much, times its excess."""

Weights = tuple[Tensor, Tensor]
"""What a pJ and a cycle weigh: of each network on each point ``[point, network]``, or of one."""


@dataclass(frozen=True)
class Goal:
    """An objective of each network, and what is made of several.

    ``counts [layer]``: executions; ``network [layer]``: whose a layer is; ``weights [network]``;
    ``own [network]``: each network's figure on hardware of its own, for the rule ``worst``.
    Rules (None: one network): ``sum``: weighted; ``geomean``: the weighted geometric mean;
    ``worst``: the largest weighted ratio of a figure to the network's own.
    """

    objective: Objective
    counts: Tensor
    network: Tensor
    weights: Tensor
    own: Tensor
    rule: str | None
    caps: Caps

    @classmethod
    def of(
        cls,
        workload: Workload,
        objective: Objective,
        own: Sequence[float] = (),
        caps: Caps | None = None,
    ) -> Goal:
        """Return what is minimised for a workload; ``own`` defaults to 1 each."""
        several = workload.networks
        members = () if several is None else several.members
        weights = [each.weight for each in members] or [1.0]
        return cls(
            objective,
            workload.counts,
            workload.network,
            torch.tensor(weights, dtype=torch.float64),
            torch.tensor(own or [1.0] * len(weights), dtype=torch.float64),
            None if several is None else several.rule,
            caps or Caps(),
        )

    def each(self, change: Callable[[Tensor], Tensor]) -> Goal:
        """Return the same goal with each tensor changed."""
        return replace(
            self,
            counts=change(self.counts),
            network=change(self.network),
            weights=change(self.weights),
            own=change(self.own),
        )

    @property
    def networks(self) -> int:
        """How many networks there are."""
        return len(self.weights)

    def totals(self, layers: Tensor) -> Tensor:
        """Return each network's sum of its layers' figures, ``[..., layer]`` to ``[..., network]``.

        All executions of a layer count.
        """
        every = layers * self.counts
        if self.rule is None:
            return every.sum(-1, keepdim=True)
        totals = every.new_zeros(*every.shape[:-1], self.networks)
        return totals.index_add(-1, self.network, every)

    def figures(self, energy: Tensor, latency: Tensor, area: Tensor) -> Tensor:
        """Return each network's figure ``[..., network]``; ``area [...]`` is that of all."""
        return self.objective.value(energy, latency, area.unsqueeze(-1))

    def judged(self, energy: Tensor, latency: Tensor, area: Tensor) -> Tensor:
        """Return each network's figure, where it exceeds a cap one above all others, ``[...]``.

        Such a one grows with the excess, so that a search finds what keeps to the caps.
        """
        figures = self.figures(energy, latency, area)
        if not self.caps.any:
            return figures
        excess = self.caps.excess(energy, latency)
        return torch.where((excess > 0) & (figures < torch.inf), ABOVE * excess.exp(), figures)

    def value(self, energy: Tensor, latency: Tensor, area: Tensor) -> Tensor:
        """Return what is minimised ``[...]``, of energies and latencies ``[..., network]``."""
        return self.joined(self.figures(energy, latency, area))

    def joined(self, figures: Tensor) -> Tensor:
        """Return what is made of the networks' figures, ``[..., network]`` to ``[...]``."""
        if self.rule is None:
            return figures.squeeze(-1)
        if self.rule == "sum":
            return (self.weights * figures).sum(-1)
        if self.rule == "geomean":
            return ((self.weights * figures.log()).sum(-1) / self.weights.sum()).exp()
        return (self.weights * figures / self.own).amax(-1)

    def descended(self, energy: Tensor, latency: Tensor, area: Tensor) -> Tensor:
        """Return the logarithm that relaxed designs descend, ``[...]``.

        Of several networks each also descends its own figure, however little the rule sees of it:
        what its mappings are worth shows once the hardware is chosen.
        """
        figures = self.figures(energy, latency, area)
        value = self.joined(figures).log()
        return value if self.rule is None else value + figures.log().sum(-1)

    def gathered(self, layers: Sequence[Tensor]) -> Tensor:
        """Return each network's sum of its layers' figures, ``[point]`` each: ``[point, network]``.

        Layer after layer, so that no sum depends on how many points there are.
        """
        sums: list[Tensor] = [torch.zeros((), dtype=torch.float64)] * self.networks
        counted = zip(self.network.tolist(), self.counts, layers, strict=True)
        for network, count, layer in counted:
            sums[network] = sums[network] + count * layer
        return torch.stack(sums, -1)

    def costs(self, energy: Tensor, latency: Tensor) -> Weights:
        """Return what a pJ and a cycle of each network's layers weigh, ``[..., network]``."""
        return self.objective.weights(energy, latency)

    def by_layer(self, weights: Weights) -> list[Weights]:
        """Return each layer's weights ``[point]``, those of its network."""
        return [(weights[0][:, each], weights[1][:, each]) for each in self.network.tolist()]

    def reported(self, value: float) -> float:
        """Return a value of energies in pJ in the units of results, whose energies are in uJ."""
        return value if self.rule == "worst" else self.objective.reported(value)
