"""Bayesian optimisation of all layers' mappings at once; the hardware follows from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from tilegrad.checks import positive_int
from tilegrad.search.bayesian.genome import Genome
from tilegrad.search.bayesian.process import check_installed, gains
from tilegrad.search.bayesian.region import GAIN, Region, drawn_best
from tilegrad.search.budget import Budget
from tilegrad.search.excess import best_first, limit_excess
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState, generator, seed_of


@dataclass(frozen=True)
class OneLoopBayesianStrategy:
    """Proposes ``designs`` in batches, by draws of a Gaussian process in a trust region (TuRBO).

    The first ``initial`` of a region are random, the smallest mappings among them; the process is
    fitted to its best ``kept`` ones, legal designs before others, these by how far they exceed
    limits. A region that has shrunk away begins anew elsewhere.
    """

    designs: int = 10_000
    initial: int = 200
    batch: int = 100
    kept: int = 200
    name: str = field(default="bayesian_one_loop", init=False)
    needs_gradient: ClassVar[bool] = False
    pads: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("designs", "initial", "batch", "kept"):
            positive_int(f"strategy.{name}", getattr(self, name))

    def check(self, problem: SearchProblem) -> None:  # noqa: ARG002
        """Any problem will do, where BoTorch is installed."""
        check_installed("strategy=bayesian_one_loop")

    def advance(
        self, problem: SearchProblem, state: SearchState, budget: Budget, seed: int
    ) -> Iterator[None]:
        """Evaluate a batch of designs at a time; see ``Strategy.advance``."""
        genome, layers = Genome(problem.tables), len(problem.tables)
        if not state.samples:
            state.private = _begun(len(genome))
        while not state.done:
            # The first designs are drawn whatever the time: no search ends without any.
            if state.samples:
                budget.check()
            points = self._proposed(state, seed)
            nests = genome.designs(points)
            cost, values = state.offer(nests, problem)
            excesses = limit_excess(nests, cost, values, problem)
            state.private = self._taken(state.private, points, values, excesses)
            state.count(len(points) * layers, layers)
            state.phase, state.fraction = "propose", state.samples / self.designs
            state.done = state.samples >= self.designs
            yield

    def _proposed(self, state: SearchState, seed: int) -> Tensor:
        """Return the next batch of points ``[design, gene]``."""
        points, begun = state.private["points"], state.samples
        count = min(self.batch, self.designs - begun)
        if state.private["drawn"] < self.initial or not points.shape[1]:
            random = generator(seed, begun)
            drawn = torch.rand(count, points.shape[1], generator=random, dtype=torch.float64)
            # From anywhere to mostly small inner loops.
            drawn = drawn**2.0 ** torch.randint(4, (count, 1), generator=random)
            drawn[0] = drawn[0] if begun else 0.0
            return drawn
        region = Region(*state.private["region"])
        found = gains(state.private["values"], state.private["excesses"])
        return drawn_best(region, points, found, count, seed_of(seed, begun))

    def _taken(
        self, private: dict[str, Any], points: Tensor, values: Tensor, excesses: Tensor
    ) -> dict[str, Any]:
        """Return the strategy's own state after a batch was evaluated."""
        region, before = Region(*private["region"]), (private["values"], private["excesses"])
        if private["drawn"] >= self.initial:
            improved = improves((values, excesses), before)
            region = region.after(improved, max(2, -(-points.shape[1] // self.batch)))
        if region.over:
            return _begun(points.shape[1])
        joined = {
            name: torch.cat([private[name], new])
            for name, new in (("points", points), ("values", values), ("excesses", excesses))
        }
        best = best_first(joined["values"], joined["excesses"])[: self.kept]
        return {
            **{name: tensor[best] for name, tensor in joined.items()},
            "drawn": private["drawn"] + len(points),
            "region": [region.length, region.successes, region.failures],
        }


def improves(new: tuple[Tensor, Tensor], before: tuple[Tensor, Tensor]) -> bool:
    """Return whether a batch's values and excesses ``[design]`` hold a better one than before.

    Better by ``GAIN``: of the objective, or nearer to the limits while nothing keeps to them.
    """
    (values, excesses), (had, exceeded) = new, before
    nearer = excesses.min() < exceeded.min() - GAIN
    return bool(nearer | (values.min() < had.min() * (1 - GAIN)))


def _begun(genes: int) -> dict[str, Any]:
    """Return the state of a region without points."""
    region = Region()
    return {
        "points": torch.empty(0, genes, dtype=torch.float64),
        "values": torch.empty(0, dtype=torch.float64),
        "excesses": torch.empty(0, dtype=torch.float64),
        "drawn": 0,
        "region": [region.length, region.successes, region.failures],
    }
