"""The outer loop: batches of hardware, each mapped by the inner one; seeded and resumable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float64
from torch import Tensor

from tilegrad.search.budget import Budget
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState, generator
from tilegrad.search.two_loop.mapper import RandomMapper, Ranking
from tilegrad.search.two_loop.sizes import Sizes

MAPPINGS_PER_UNIT = 100_000
"""Mappings of single layers that a unit of work evaluates, about."""


@dataclass(frozen=True)
class Tried:
    """Hardware that was mapped: ``shares [tried, size]`` of ``Sizes``, ``values [tried]``.

    The objective of the best design found there, infinite where a layer had no mapping.
    """

    shares: Float64[Tensor, "tried size"]
    values: Float64[Tensor, " tried"]


class Proposer(Protocol):
    """Chooses the next hardware from what was tried."""

    def propose(self, tried: Tried, count: int, seed: int) -> Float64[Tensor, "count size"]:
        """Return shares of ``Sizes``; of the same ``tried`` and seed the same ones."""
        ...


@dataclass(frozen=True)
class TwoLoop:
    """``hardware`` points in all, ``batch`` at once (None: as many as a unit of work allows).

    ``mappings`` random ones of each layer are tried on each point, some of them chosen by the
    ``ranking``. Where no size is free it is one
    point, on which the best mappings so far stay.
    """

    hardware: int
    mappings: int
    batch: int | None = None
    ranking: Ranking | None = None

    def advance(
        self,
        proposer: Proposer,
        problem: SearchProblem,
        state: SearchState,
        budget: Budget,
        seed: int,
    ) -> Iterator[None]:
        """Map batch after batch; see ``Strategy.advance``."""
        layers = len(problem.workload.layers)
        sizes, mapper = Sizes.of(problem), RandomMapper(problem, budget, self.ranking)
        if not state.samples:
            # It fits wherever anything does: no search ends without a design.
            state.offer(problem.smallest(), problem)
            state.count(layers, layers)
            state.private = {"shares": torch.empty(0, len(sizes)).double(), "values": []}
        while not state.done:
            tried = self._tried(state)
            begun = len(tried.values)
            count = min(self._batch(problem), self.hardware - begun)
            shares = proposer.propose(tried, count, seed)
            known = state.best if not len(sizes) else None
            random = generator(seed, begun)
            found = mapper.best(sizes.hardware(shares), self.mappings, random, known)
            state.offer(found.designs, problem)
            state.count(found.mappings, layers)
            state.private = {
                "shares": torch.cat([tried.shares, shares]),
                "values": [*tried.values.tolist(), *found.values.tolist()],
            }
            state.phase, state.fraction = "map", (begun + count) / self.hardware
            state.done = begun + count >= self.hardware
            yield

    def _batch(self, problem: SearchProblem) -> int:
        """Return how many points are mapped together."""
        if problem.hardware.settled:
            return 1
        most = MAPPINGS_PER_UNIT // (self.mappings * len(problem.workload.layers))
        return max(1, most) if self.batch is None else self.batch

    def _tried(self, state: SearchState) -> Tried:
        values = torch.tensor(state.private["values"], dtype=torch.float64)
        return Tried(state.private["shares"], values)
