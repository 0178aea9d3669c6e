"""One generation by pymoo: parents by tournament, genes crossed and mutated, the best kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from pymoo.algorithms.soo.nonconvex.ga import GA, comp_by_cv_and_fitness
from pymoo.core.crossover import Crossover
from pymoo.core.duplicate import DefaultDuplicateElimination
from pymoo.core.evaluator import Evaluator
from pymoo.core.mating import Mating
from pymoo.core.mutation import Mutation
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.operators.selection.tournament import TournamentSelection
from pymoo.problems.static import StaticProblem
from torch import Tensor

from tilegrad.search.evolution.genome import Floats, Genes, Genome

ATTEMPTS = 5
"""How often children are bred until enough of them are new: tiny networks have few designs."""


@dataclass(frozen=True)
class Generation:
    """Designs with their objective and by how much they break limits (0: not), ``[design]``."""

    genes: Genes
    values: Floats
    excesses: Floats

    def tensors(self) -> list[Tensor]:
        """Return it as a checkpoint holds it."""
        parts = (self.genes, self.values, self.excesses)
        return [torch.from_numpy(np.ascontiguousarray(part)) for part in parts]


class LayerCrossover(Crossover):
    """Swaps whole layers between two designs, and single genes: a dim's tiling, an order.

    Of one layer alone each gene is swapped or not.
    """

    def __init__(self, layers: Genes, genes: float) -> None:
        super().__init__(2, 2, prob=1.0)
        self.layers = layers if layers.any() else np.arange(len(layers))
        self.genes = genes

    def _do(self, _: Any, parents: Any, *__: Any, random_state: Any, **___: Any) -> Any:
        """Return children ``[child, mating, gene]`` of parents ``[parent, mating, gene]``."""
        matings = parents.shape[1]
        swap = (random_state.random((matings, self.layers.max() + 1)) < 0.5)[:, self.layers]
        swap ^= random_state.random(swap.shape) < self.genes
        return np.stack(
            [np.where(swap, parents[1], parents[0]), np.where(swap, parents[0], parents[1])]
        )


class GeneMutation(Mutation):
    """Draws about ``rate`` genes of a design anew, at most half: half of them near what they were.

    Near a dim's tiling are those whose factors are, so that a step moves a prime or two from one
    level to another.
    """

    def __init__(self, genome: Genome, rate: float) -> None:
        super().__init__(prob=1.0)
        self.genome = genome
        self.share = min(rate / len(genome.counts), 0.5)

    def _do(self, _: Any, genes: Any, *__: Any, random_state: Any, **___: Any) -> Any:
        """Return mutated designs ``[design, gene]``."""
        genes = genes.astype(np.int64)
        anew = (random_state.random(genes.shape) * self.genome.counts).astype(np.int64)
        mutated = random_state.random(genes.shape) < self.share
        near = mutated & (random_state.random(genes.shape) < 0.5)
        changed = np.where(mutated, anew, genes)
        which = random_state.random(genes.shape)
        return np.where(near, self.genome.near(genes, near, which), changed)


@dataclass(frozen=True)
class Breeding:
    """How generations follow: ``population`` children each, their genes ``swapped`` and mutated."""

    genome: Genome
    population: int
    swapped: float
    rate: float

    def next(self, now: Generation, judge: Callable[[Genes], Generation], seed: int) -> Generation:
        """Return the best of a generation and of its children, which ``judge`` evaluates.

        Depends on nothing but its arguments, so that a search goes on from any generation. No
        design is there twice, so that fewer than ``population`` are where there are no more.
        """
        counts = self.genome.counts
        places = np.arange(len(now.genes))
        distinct = DefaultDuplicateElimination()
        mating = Mating(
            TournamentSelection(func_comp=comp_by_cv_and_fitness),
            LayerCrossover(self.genome.layers, self.swapped),
            GeneMutation(self.genome, self.rate),
            eliminate_duplicates=distinct,
            n_max_iterations=ATTEMPTS,
        )
        algorithm = GA(
            pop_size=self.population,
            sampling=Population.new("X", now.genes, "place", places),
            mating=mating,
            eliminate_duplicates=distinct,
        )
        problem = Problem(
            n_var=len(counts),
            n_obj=1,
            n_ieq_constr=1,
            xl=np.zeros(len(counts)),
            xu=counts - 1,
            vtype=int,
        )
        algorithm.setup(problem, termination=NoTermination(), seed=seed)
        parents = algorithm.ask()
        places = parents.get("place").astype(np.int64)
        algorithm.tell(infills=_judged(problem, parents, now.values[places], now.excesses[places]))
        children = algorithm.ask()
        if children is not None and len(children):
            found = judge(children.get("X").astype(np.int64))
            algorithm.tell(infills=_judged(problem, children, found.values, found.excesses))
        kept = algorithm.pop
        return Generation(
            kept.get("X").astype(np.int64),
            kept.get("F")[:, 0],
            np.maximum(kept.get("G")[:, 0], 0.0),
        )


def _judged(problem: Any, designs: Any, values: Floats, excesses: Floats) -> Any:
    figures = {"F": values[:, None], "G": excesses[:, None]}
    Evaluator().eval(StaticProblem(problem, **figures), designs)
    return designs
