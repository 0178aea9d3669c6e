"""One layer's mappings on given hardware, bred by themselves, as in GAMMA."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tilegrad.cost.hardware import excess
from tilegrad.mapping import LoopNest
from tilegrad.nest.layout import Layout
from tilegrad.search.evolution.breeding import Generation
from tilegrad.search.evolution.genome import REFUSED, Genes, Genome
from tilegrad.search.problem import SearchProblem
from tilegrad.search.two_loop.drawn import Drawn, priced

DRAWN = 40
"""Times as many random mappings are drawn at first as are kept: of some machines few fit."""


class Species:
    """The mappings of the layer at ``place`` of a problem whose sizes are all given."""

    def __init__(self, problem: SearchProblem, place: int) -> None:
        self.problem = problem
        self.table = problem.tables[place]
        self.genome = Genome([self.table])
        self.hardware = {
            name: torch.tensor([size], dtype=torch.float64)
            for name, size in problem.hardware.fixed.items()
        }

    def judge(self, genes: Genes) -> Generation:
        """Return the log of the layer's own objective, and by how much mappings do not fit."""
        nests = self.genome.nests(genes)[:, 0]
        over = self._over(nests)
        values = np.full(len(genes), REFUSED)
        fitting = (over == 0).nonzero().flatten()
        if len(fitting):
            energy, latency = priced(self.table, nests[fitting], self.problem.model, self.hardware)
            objective = self.problem.goal.objective
            values[fitting.numpy()] = objective.log_cost(energy, latency).numpy()
        return Generation(genes, values, over.numpy())

    def first(self, count: int, random: np.random.Generator) -> Genes:
        """Return random mappings, the smallest first: of ``DRAWN`` times as many those that fit."""
        genes = self.genome.random(DRAWN * count, random)
        over = self._over(self.genome.nests(genes)[:, 0])
        return genes[over.argsort(stable=True)[:count].numpy()]

    def _over(self, nests: LoopNest) -> Tensor:
        """Return the log of how far mappings exceed what there is, ``[mapping]``."""
        accelerator = self.table.space.accelerator
        layout = Layout(nests, self.table.strides, accelerator)
        return excess(accelerator.requirements, layout, self.hardware).expand(len(nests.temporal))

    def candidates(self, genes: Genes) -> Drawn:
        """Return the mappings that fit, to be combined with other layers'."""
        drawn = Drawn(self.table, self.hardware)
        nests = self.genome.nests(genes)[:, 0]
        drawn.add(nests, torch.zeros(len(genes), dtype=torch.int64), torch.tensor([len(genes)]))
        drawn.settle()
        return drawn
