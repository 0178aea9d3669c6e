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

SAMPLES_PER_UNIT = 500
"""Whole designs that a unit of work evaluates, about; those of one hardware point at least."""


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
        """Return a batch, shares of ``Sizes``; of the same ``tried`` and seed the same one."""
        ...


@dataclass(frozen=True)
class TwoLoop:
    """``hardware`` points in all, of which ``batch`` are proposed together.

    ``mappings`` random ones of each layer are tried on each point, some of them chosen by the
    ``ranking``. Where no size is free it is one point, on which the best mappings so far stay.
    A point is the same, and so are its mappings, whatever the units of work: where a budget cuts
    the search changes nothing of what a longer one finds.
    """

    hardware: int
    mappings: int
    batch: int
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
        batch = _Batch(proposer, self, seed)
        while not state.done:
            tried = _tried(state)
            begun = len(tried.values)
            # What limits shrink is learned from as what it was mapped as.
            shares = sizes.legal(batch.rest(tried)[: self._most(problem, state, budget)])
            known = state.best if not len(sizes) else None
            randoms = [generator(seed, begun + point) for point in range(len(shares))]
            found = mapper.best(sizes.hardware(shares), self.mappings, *randoms, known=known)
            state.offer(found.designs, problem)
            state.count(found.mappings, layers)
            state.private = {
                "shares": torch.cat([tried.shares, shares]),
                "values": [*tried.values.tolist(), *found.values.tolist()],
            }
            ended = begun + len(shares)
            state.phase, state.fraction = "map", ended / self.hardware
            state.done = ended >= self.hardware
            yield

    def _most(self, problem: SearchProblem, state: SearchState, budget: Budget) -> int:
        """Return how many points the next unit of work maps at most."""
        if problem.hardware.settled:
            return 1
        samples = SAMPLES_PER_UNIT
        if budget.samples is not None:
            samples = min(samples, budget.samples - state.samples)
        return max(1, -(-samples // (self.mappings + 1)))


class _Batch:
    """The batch of points that is being mapped: proposed from those before it alone."""

    def __init__(self, proposer: Proposer, loop: TwoLoop, seed: int) -> None:
        self.proposer, self.loop, self.seed = proposer, loop, seed
        self.start = -1
        self.shares = torch.empty(0, dtype=torch.float64)

    def rest(self, tried: Tried) -> Float64[Tensor, "point size"]:
        """Return what is left of the batch; a new one is proposed where nothing is."""
        inside = len(tried.values) % self.loop.batch
        start = len(tried.values) - inside
        if start != self.start:
            count = min(self.loop.batch, self.loop.hardware - start)
            before = Tried(tried.shares[:start], tried.values[:start])
            self.shares = self.proposer.propose(before, count, self.seed)
            self.start = start
        return self.shares[inside:]


def _tried(state: SearchState) -> Tried:
    values = torch.tensor(state.private["values"], dtype=torch.float64)
    return Tried(state.private["shares"], values)
