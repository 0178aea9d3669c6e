"""What evolves side by side: whole designs, or on given hardware each layer by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from tilegrad.mapping import LoopNest
from tilegrad.search.budget import Budget
from tilegrad.search.evolution.breeding import Generation
from tilegrad.search.evolution.genome import REFUSED, Floats, Genes, Genome
from tilegrad.search.evolution.species import Species
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
        self.state.offer(nests, self.problem)
        self.state.count(len(genes) * layers, layers)
        return Generation(genes, *_judged(nests, self.problem))

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


def _judged(nests: LoopNest, problem: SearchProblem) -> tuple[Floats, Floats]:
    """Return objectives of designs ``[design, layer]`` and by how much they break limits."""
    cost, values = problem.evaluate(nests)
    refused = values.isinf()
    excess = (~cost.fits).sum(-1).double()
    for name, size in cost.hardware.items():
        excess = excess + (size / problem.hardware.limit(name)).log().clamp(min=0)
    if problem.hardware.area_cap is not None:
        excess = excess + (cost.area_mm2 / problem.hardware.area_cap).log().clamp(min=0)
    if problem.caps.any:
        totals = problem.goal.totals(cost.layers.energy_pj), problem.latency(nests, cost)
        excess = excess + problem.caps.excess(*totals).sum(-1)
    # What cannot be measured (sizes that make no sense) says only that it is refused.
    excess = torch.where(refused, excess.clamp(min=1e-3), 0.0)
    return values.masked_fill(refused, REFUSED).numpy(), excess.numpy()
