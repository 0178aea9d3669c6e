"""Bayesian optimisation of the hardware, each layer's best of random or ranked mappings inside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from tilegrad.checks import positive_int
from tilegrad.errors import ConfigError
from tilegrad.search.bayesian.process import check_installed, most_promising
from tilegrad.search.bayesian.ranking import columns, ranked
from tilegrad.search.budget import Budget
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState, generator, seed_of
from tilegrad.search.two_loop.latin import latin_hypercube
from tilegrad.search.two_loop.loop import Tried, TwoLoop
from tilegrad.search.two_loop.mapper import Ranking


@dataclass(frozen=True)
class BayesianStrategy:
    """Chooses ``hardware`` points in batches by a Gaussian process over the log sizes (qLogEI).

    The first ``initial`` points are a Latin hypercube's. On each point every layer takes the best
    of ``mappings`` that fit, as in the two-loop search that DOSA (Hong et al., MICRO 2023) is
    compared with: random ones, but for ``ranked`` of them, which a process of that layer's others
    chooses among ``candidates`` random ones.
    """

    hardware: int = 100
    mappings: int = 100
    initial: int = 20
    batch: int = 4
    ranked: int = 10
    candidates: int = 1000
    name: str = field(default="bayesian", init=False)
    needs_gradient: ClassVar[bool] = False
    pads: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("hardware", "mappings", "initial", "batch", "candidates"):
            positive_int(f"strategy.{name}", getattr(self, name))
        positive_int("strategy.ranked", self.ranked, least=0)
        most = min(self.mappings - 1, self.candidates)
        if self.ranked > most:
            raise ConfigError(
                f"strategy.ranked is {self.ranked}; legal: at most {most}, fewer than "
                "strategy.mappings and as many as strategy.candidates"
            )

    def check(self, problem: SearchProblem) -> None:  # noqa: ARG002
        """Any problem will do, where BoTorch is installed."""
        check_installed("strategy=bayesian")

    def advance(
        self, problem: SearchProblem, state: SearchState, budget: Budget, seed: int
    ) -> Iterator[None]:
        """Map a batch of hardware at a time; see ``Strategy.advance``."""
        ranking = Ranking(self.ranked, self.candidates, columns, ranked) if self.ranked else None
        loop = TwoLoop(self.hardware, self.mappings, self.batch, ranking)
        state.warnings = self._warnings(problem, state)
        for _ in loop.advance(self, problem, state, budget, seed):
            state.warnings = self._warnings(problem, state)
            yield

    def _warnings(self, problem: SearchProblem, state: SearchState) -> list[str]:
        """Return that no hardware was proposed yet, where some is to be chosen."""
        mapped = len(state.private.get("values", []))
        if problem.hardware.settled or mapped > self._first:
            return []
        return [
            f"strategy=bayesian proposed none of the {mapped} hardware points, which are a Latin "
            f"hypercube's as by strategy=latin: proposals begin after {self._first} points "
            f"(strategy.initial={self.initial} in batches of {self.batch}), of strategy.hardware="
            f"{self.hardware}; give more hardware, a larger budget or a smaller strategy.initial"
        ]

    @property
    def _first(self) -> int:
        """How many points are a Latin hypercube's: the initial ones in whole batches."""
        return -(-self.initial // self.batch) * self.batch

    def propose(self, tried: Tried, count: int, seed: int) -> Tensor:
        """Return the next points, shares ``[count, size]``."""
        begun, sizes = tried.shares.shape
        if not sizes:
            return tried.shares.new_empty(count, 0)
        if begun < self._first:
            return latin_hypercube(self._first, sizes, generator(seed))[begun : begun + count]
        return most_promising(tried.shares, tried.values, count, seed_of(seed, begun))
