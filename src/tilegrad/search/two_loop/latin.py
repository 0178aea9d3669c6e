"""Random hardware, each layer's best of N mappings: the baseline of the two-loop searches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from tilegrad.checks import positive_int
from tilegrad.search.budget import Budget
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState, generator
from tilegrad.search.two_loop.loop import Tried, TwoLoop


@dataclass(frozen=True)
class LatinStrategy:
    """Spreads ``hardware`` points over the free sizes as a Latin hypercube, in log space.

    On each of them every layer takes the best of ``mappings`` random ones that fit, as in the
    random search that DOSA (Hong et al., MICRO 2023) is compared with.
    """

    hardware: int = 50
    mappings: int = 200
    name: str = field(default="latin", init=False)
    needs_gradient: ClassVar[bool] = False
    pads: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive_int("strategy.hardware", self.hardware)
        positive_int("strategy.mappings", self.mappings)

    def check(self, problem: SearchProblem) -> None:
        """Any problem will do."""

    def advance(
        self, problem: SearchProblem, state: SearchState, budget: Budget, seed: int
    ) -> Iterator[None]:
        """Map a few points at a time; see ``Strategy.advance``."""
        loop = TwoLoop(self.hardware, self.mappings, self.hardware)
        return loop.advance(self, problem, state, budget, seed)

    def propose(self, tried: Tried, count: int, seed: int) -> Tensor:
        """Return the whole hypercube, shares ``[count, size]``."""
        return latin_hypercube(count, tried.shares.shape[-1], generator(seed))


def latin_hypercube(count: int, dims: int, random: torch.Generator) -> Tensor:
    """Return points ``[count, dim]``: in each dim one in each of ``count`` equal parts of 0..1."""
    places = [torch.randperm(count, generator=random) for _ in range(dims)]
    inside = torch.rand(count, dims, generator=random, dtype=torch.float64)
    return (torch.stack(places, -1) + inside) / count if dims else inside
