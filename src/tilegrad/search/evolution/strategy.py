"""``strategy=evolution``: a genetic search over mappings and the hardware that they need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilegrad.checks import positive_int, positive_number
from tilegrad.errors import ConfigError
from tilegrad.extras import required
from tilegrad.search.budget import Budget
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState

if TYPE_CHECKING:
    pass

PLACES = 1_000_000_007
"""Between the seeds of populations side by side."""


@dataclass(frozen=True)
class EvolutionStrategy:
    """A genetic algorithm over all layers' tilings and loop orders, in the spirit of GAMMA.

    As in DiGamma (Kao et al., DATE 2022) a design's hardware is the least that its mappings need.
    Where no size is free, and neither latency nor power is capped, each layer has a population of
    its own, as in GAMMA (Kao and Krishna, ICCAD 2020), of which the best design is combined.
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
        from tilegrad.search.evolution.populations import Designs, Layers

        # What keeps to caps on the whole network no layer tells by itself.
        apart = problem.hardware.settled and not problem.caps.any
        populations = (Layers if apart else Designs)(problem, state, budget)
        bred = [
            Breeding(genome, self.population, self.swapped, self.rate)
            for genome in populations.genomes
        ]
        while not state.done:
            number = state.private.get("generation", 0)
            now = []
            for place, breeding in enumerate(bred):
                judge = partial(populations.judge, place)
                if number == 0:
                    random = np.random.default_rng(seed + place * PLACES)
                    now.append(judge(populations.first(place, self.population, random)))
                else:
                    budget.check()
                    before = Generation(*(part.numpy() for part in state.private["now"][place]))
                    own = seed * 1_000_003 + number + place * PLACES
                    now.append(breeding.next(before, judge, own))
            populations.offer(now)
            state.private = {"generation": number + 1, "now": [each.tensors() for each in now]}
            state.phase, state.fraction = "breed", number / self.generations
            state.done = number >= self.generations
            yield
