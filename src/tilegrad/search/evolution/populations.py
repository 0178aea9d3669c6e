"""What evolves side by side: whole designs, or on given hardware each layer by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tilegrad.search.budget import Budget
from tilegrad.search.evolution.breeding import Generation
from tilegrad.search.evolution.genome import REFUSED, Genes, Genome
from tilegrad.search.evolution.species import Species
from tilegrad.search.excess import limit_excess
from tilegrad.search.points import hardware_points
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState
from tilegrad.search.two_loop.mapper import combined


class Designs:
    """One population, of whole designs: their hardware is the least that they need."""

    def __init__(self, problem: SearchProblem, state: SearchState, budget: Budget) -> None:
        self.problem, self.state, self.budget = problem, state, budget
        self.genomes = [Genome(problem.tables)]

    def first(self, place: int, count: int, random: np.random.Generator) -> Genes:
        """Return random designs."""
        return self.genomes[place].random(count, random)

    def judge(self, place: int, genes: Genes) -> Generation:
        """Offer and count designs ``[design, gene]``; return what they are worth."""
        nests, layers = self.genomes[place].nests(genes), len(self.problem.workload.layers)
        cost, values = self.state.offer(nests, self.problem)
        self.state.count(len(genes) * layers, layers)
        excesses = limit_excess(nests, cost, values, self.problem).numpy()
        return Generation(genes, values.masked_fill(values.isinf(), REFUSED).numpy(), excesses)

    def offer(self, now: Sequence[Generation]) -> None:
        """All of them were offered when they were judged."""


class Layers:
    """A population for each layer, on hardware whose sizes are all given."""

    def __init__(self, problem: SearchProblem, state: SearchState, budget: Budget) -> None:
        self.problem, self.state, self.budget = problem, state, budget
        self.species = [Species(problem, place) for place in range(len(problem.tables))]
        self.genomes = [each.genome for each in self.species]
        self._judged = 0

    def first(self, place: int, count: int, random: np.random.Generator) -> Genes:
        """Return random mappings of a layer, as far as possible such as fit."""
        return self.species[place].first(count, random)

    def judge(self, place: int, genes: Genes) -> Generation:
        """Return what mappings ``[mapping, gene]`` of a layer are worth."""
        self._judged += len(genes)
        return self.species[place].judge(genes)

    def offer(self, now: Sequence[Generation]) -> None:
        """Offer the best design of the layers' populations; count what was judged for them."""
        hardware = self.species[0].hardware
        points = hardware_points(self.problem.accelerator, hardware)
        layers = [each.candidates(of.genes) for each, of in zip(self.species, now, strict=True)]
        found = combined(layers, points, self.problem, self.budget)
        self.state.offer(found.designs, self.problem)
        self.state.count(self._judged, len(self.species))
        self._judged = 0
