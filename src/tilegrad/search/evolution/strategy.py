"""``strategy=evolution``: a genetic search over mappings and the hardware that they need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch

from tilegrad.checks import positive_int, positive_number
from tilegrad.errors import ConfigError
from tilegrad.extras import required
from tilegrad.mapping import LoopNest
from tilegrad.search.budget import Budget
from tilegrad.search.evolution.genome import Floats, Genes, Genome
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState

if TYPE_CHECKING:
    from tilegrad.search.evolution.breeding import Generation

REFUSED = 1e300
"""Objective of a design that breaks a limit; designs are told apart by how far they do."""


@dataclass(frozen=True)
class EvolutionStrategy:
    """A genetic algorithm over all layers' tilings and loop orders, in the spirit of GAMMA.

    As in DiGamma (Kao et al., DATE 2022) a design's hardware is the least that its mappings need.
    ``generations`` of ``population`` children each; ``swapped``: the share of genes that a crossing
    takes from the other parent than their layer's; ``rate``: genes of a child that are drawn anew,
    about. pymoo selects parents (tournaments), drops doubles and keeps the best.
    """

    population: int = 50
    generations: int = 200
    swapped: float = 0.1
    rate: float = 3.0
    name: str = field(default="evolution", init=False)
    needs_gradient: ClassVar[bool] = False
    pads: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive_int("strategy.population", self.population, least=2)
        positive_int("strategy.generations", self.generations)
        positive_number("strategy.rate", self.rate)
        if not 0 <= self.swapped <= 0.5:
            raise ConfigError(f"strategy.swapped is {self.swapped!r}; legal: a share up to 0.5")

    def check(self, problem: SearchProblem) -> None:  # noqa: ARG002
        """Any problem will do, where pymoo is installed."""
        required("pymoo", "evolution", f"strategy={self.name}")

    def advance(
        self, problem: SearchProblem, state: SearchState, budget: Budget, seed: int
    ) -> Iterator[None]:
        """Breed one generation at a time; see ``Strategy.advance``."""
        # A second that only this strategy spends.
        from tilegrad.search.evolution.breeding import Breeding, Generation

        genome, layers = Genome(problem.tables), len(problem.workload.layers)

        def judge(genes: Genes) -> Generation:
            nests = genome.nests(genes)
            state.offer(nests, problem)
            state.count(len(genes) * layers, layers)
            return Generation(genes, *_judged(nests, problem))

        breeding = Breeding(genome, self.population, self.swapped, self.rate)
        while not state.done:
            number = state.private.get("generation", 0)
            if number == 0:
                random = np.random.default_rng(seed)
                now = judge(genome.random(self.population, random))
            else:
                budget.check()
                now = Generation(*(part.numpy() for part in state.private["now"]))
                now = breeding.next(now, judge, seed * 1_000_003 + number)
            parts = (now.genes, now.values, now.excesses)
            state.private = {
                "generation": number + 1,
                "now": [torch.from_numpy(np.ascontiguousarray(part)) for part in parts],
            }
            state.phase, state.fraction = "breed", number / self.generations
            state.done = number >= self.generations
            yield


def _judged(nests: LoopNest, problem: SearchProblem) -> tuple[Floats, Floats]:
    """Return objectives of designs ``[design, layer]`` and by how much they break limits."""
    cost, values = problem.evaluate(nests)
    refused = values.isinf()
    excess = (~cost.fits).sum(-1).double()
    for name, size in cost.hardware.items():
        excess = excess + (size / problem.hardware.limit(name)).log().clamp(min=0)
    if problem.hardware.area_cap is not None:
        excess = excess + (cost.area_mm2 / problem.hardware.area_cap).log().clamp(min=0)
    # A cap on latency or power says only that it is broken.
    excess = torch.where(refused, excess.clamp(min=1e-3), 0.0)
    return values.masked_fill(refused, REFUSED).numpy(), excess.numpy()
