"""The free sizes as a box on a logarithmic scale: what a search outside of mappings moves in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from tilegrad.cost.hardware import Hardware
from tilegrad.mapping.sampling import Sampler
from tilegrad.nest import analyse
from tilegrad.search.hardware import HardwareSpace
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import generator

DRAWN = 256
"""Random mappings of each layer that tell which sizes are of use."""

USEFUL = 0.9
"""Share of them that the largest sizes hold, of the layer that needs the most."""

SHRINK = 0.9
"""By how much sizes that exceed a limit shrink in a step, as a share of the way to the least."""

SHRINKS = 60


@dataclass(frozen=True)
class Sizes:
    """Hardware as shares ``[..., size]`` of the way from ``least`` to ``most``, in log space.

    ``least`` holds the smallest mapping of every layer; ``most`` nine in ten random mappings of
    any layer, and no less than the template's own buffers, meshes as wide as the limits allow.
    Meshes are powers of two wide, or as wide as one of the ends. Sizes that do not depend on the
    seed.
    """

    space: HardwareSpace
    least: Mapping[str, float]
    most: Mapping[str, float]

    @classmethod
    def of(cls, problem: SearchProblem) -> Sizes:
        """Return the sizes of use to a problem."""
        space = problem.hardware
        free = [name for name in space.accelerator.parameters if name not in space.fixed]
        if not free:
            return cls(space, {}, {})
        cost, _ = problem.evaluate(problem.smallest())
        smallest = {name: float(size) for name, size in cost.hardware.items()}
        ends = space.ends(_needs(problem), problem.meshes[0])
        own = {n: min(size, space.limit(n)) for n, size in space.accelerator.defaults.items()}
        of_use = {name: max(most, own.get(name, most)) for name, (_, most) in ends.items()}
        most = {**problem.meshes[0], **of_use}
        least = {name: smallest[name] for name in free}
        return cls(space, least, {name: max(least[name], most[name]) for name in free})

    def __len__(self) -> int:
        return len(self.least)

    def hardware(self, shares: Float64[Tensor, "point size"]) -> Hardware:
        """Return all parameters ``[point]``, the free ones in whole units and within the limits.

        Shares that exceed one count as what is ``legal`` in their place.
        """
        return self._at(self.legal(shares))

    def legal(self, shares: Float64[Tensor, "point size"]) -> Float64[Tensor, "point size"]:
        """Return shares within the limits, those that are so as they were.

        Where the area, say, is too large, all sizes go towards the least ones until it is not.
        """
        shares = shares.clone()
        for _ in range(SHRINKS):
            too_large = ~self.space.within(self._at(shares)).expand(len(shares))
            if not too_large.any():
                return shares
            shares[too_large] *= SHRINK
        shares[too_large] = 0.0
        return shares

    def _at(self, shares: Tensor) -> Hardware:
        fixed = {n: shares.new_full((len(shares),), size) for n, size in self.space.fixed.items()}
        free = {
            name: self._size(name, share)
            for name, share in zip(self.least, shares.unbind(-1), strict=True)
        }
        return {name: (free | fixed)[name] for name in self.space.accelerator.parameters}

    def _size(self, name: str, share: Float64[Tensor, " point"]) -> Float64[Tensor, " point"]:
        least, most = self.least[name], self.most[name]
        if name not in self.space.plan.meshes:
            return (least * (most / least) ** share).round()
        # Bounds have few divisors that fill a width between: 100 PEs are used as 64 by most layers.
        powers = 2.0 ** torch.arange(int(math.log2(most)) + 1, dtype=torch.float64)
        between = powers[(powers > least) & (powers < most)]
        ends = torch.tensor([least, most], dtype=torch.float64).round()
        widths = torch.cat([between, ends]).unique()
        return widths[(share * len(widths)).long().clamp(max=len(widths) - 1)]


def _needs(problem: SearchProblem) -> Tensor:
    """Return what most random mappings of the most demanding layer need, ``[column]``."""
    needs = []
    for number, layer in enumerate(problem.workload.layers):
        accelerator = problem.accelerator.running(layer.shape)
        sampler = Sampler(accelerator, layer, problem.meshes[0], problem.padded)
        nests = sampler.draw(DRAWN, generator(0, number))
        nest = analyse(nests, problem.tables[number].strides, accelerator)
        columns = [column.need(nest).expand(DRAWN) for column in accelerator.columns]
        needs.append(torch.stack(columns).quantile(USEFUL, -1))
    return torch.stack(needs).amax(0)
