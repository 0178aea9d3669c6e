"""Mapping-first one-loop search: descend relaxed mappings, round by solving, polish exactly."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import ClassVar

from tilegrad.checks import choice, positive_int, positive_number
from tilegrad.search.budget import Budget
from tilegrad.search.gradient.optimiser import Momentum
from tilegrad.search.gradient.run import GradientRun, Plan
from tilegrad.search.gradient.sides import SidesRun, told_apart
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState

RANDOM, COSA = STARTS = ("random", "cosa")
"""What ``strategy.start`` may be."""


@dataclass(frozen=True)
class GradientStrategy:
    """Gradient descent of many starts, then exact polishing of the best of them.

    ``starts`` and ``polish_rows`` (mappings analysed per round of polishing) default to sizes that
    keep the work independent of the number of layers. ``workers`` threads share the polishing; the
    result does not depend on them. ``start``: ``random``, or ``cosa``: a few of the starts are
    CoSA's mappings.
    """

    starts: int | None = None
    steps: int = 40
    learning_rate: float = 10.0
    momentum: float = 0.8
    polish_rounds: int = 8
    polish_rows: int = 1_000_000
    workers: int | None = None
    start: str = RANDOM
    name: str = field(default="gradient", init=False)
    needs_gradient: ClassVar[bool] = True
    pads: ClassVar[bool] = True
    takes_proofs: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("steps", "polish_rounds", "polish_rows"):
            positive_int(f"strategy.{name}", getattr(self, name))
        for name in ("starts", "workers"):
            if getattr(self, name) is not None:
                positive_int(f"strategy.{name}", getattr(self, name))
        choice("strategy.start", self.start, STARTS)
        positive_number("strategy.learning_rate", self.learning_rate)
        positive_number("strategy.momentum", self.momentum, below=1.0)

    @property
    def plan(self) -> Plan:
        """How much is done."""
        optimiser = Momentum(self.steps, self.learning_rate, self.momentum)
        return Plan(
            self.starts, optimiser, self.polish_rounds, self.polish_rows, self.start == COSA
        )

    def check(self, problem: SearchProblem) -> None:
        """Any problem will do."""

    def advance(
        self, problem: SearchProblem, state: SearchState, budget: Budget, seed: int
    ) -> Iterator[None]:
        """Descend, round, polish; see ``Strategy.advance``."""
        with ThreadPoolExecutor(self.workers or os.cpu_count() or 1) as threads:
            whole = GradientRun(self.plan, problem, state, budget, seed, threads)
            apart = told_apart(problem)
            run = SidesRun(whole, apart) if len(apart) > 1 else whole
            while not state.done:
                run.advance()
                yield
