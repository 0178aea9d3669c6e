"""Where descents begin: random hardware, every layer mapped on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch

from tilegrad.mapping import LoopNest
from tilegrad.search.budget import Budget
from tilegrad.search.gradient.chooser import Chooser
from tilegrad.search.gradient.polish import candidates
from tilegrad.search.gradient.rounding import picked
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import generator
from tilegrad.search.two_loop.mapper import RandomMapper
from tilegrad.search.two_loop.sizes import Sizes

STARTS = RANDOM, COSA = ("random", "cosa")

NODES = 20_000
"""Of branch and bound, in a program of CoSA's."""


@dataclass(frozen=True)
class Starts:
    """Draws starts of a ``kind``, each from a generator of its own.

    ``random``: each layer's best of ``mappings`` random ones that fit; ``cosa``: that of CoSA's
    program, with every loop order.
    """

    kind: str
    mappings: int
    problem: SearchProblem
    budget: Budget
    seed: int

    @cached_property
    def sizes(self) -> Sizes:
        """The hardware to draw from."""
        return Sizes.of(self.problem)

    def draw(self, number: int) -> tuple[LoopNest, int]:
        """Return a start's design ``[1, layer]`` and how many mappings were evaluated for it."""
        random = generator(self.seed, number)
        shares = torch.rand(1, len(self.sizes), generator=random, dtype=torch.float64)
        hardware = self.sizes.hardware(shares)
        found = None
        if self.kind == COSA:
            found = self._solved({name: float(size) for name, size in hardware.items()})
        if found is None:
            mapper = RandomMapper(self.problem, self.budget)
            mapped = mapper.best(hardware, self.mappings, random)
            return mapped.designs, mapped.mappings
        return found

    def _solved(self, sizes: Mapping[str, float]) -> tuple[LoopNest, int] | None:
        """Return the design of CoSA's mappings, if it fits, which it hardly ever does not."""
        # Imported here: other searches begin without a solver.
        from tilegrad.search.cosa.mapper import CosaMapper, Effort
        from tilegrad.search.cosa.output import without_output
        from tilegrad.search.cosa.program import Weights
        from tilegrad.search.cosa.strategy import CosaStrategy

        published = CosaStrategy()
        weights = Weights(published.utilisation[0], published.compute, published.traffic)
        mapper = CosaMapper([weights], (0.5,), Effort(NODES, None))
        pools = []
        with without_output():
            for table in self.problem.tables:
                factors, _ = mapper.map(table, sizes, self.budget)
                factors = factors if len(factors) else table.smallest()
                pools.append(candidates(table, factors, self.problem.model))
        chooser = Chooser(self.problem.hardware, self.problem.goal, self.problem.model, self.budget)
        design = chooser.at(pools, sizes)
        if design is None:
            return None
        return picked(self.problem.tables, pools, design), sum(map(len, pools))
