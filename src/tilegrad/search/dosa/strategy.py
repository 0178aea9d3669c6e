"""DOSA's algorithm (Hong et al., MICRO 2023), as the code published beside the paper does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from tilegrad.checks import choice, positive_int, positive_number
from tilegrad.search.budget import Budget
from tilegrad.search.dosa.run import DosaRun, Plan
from tilegrad.search.dosa.starts import COSA, STARTS, Starts
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState

EDP, ENERGY = "edp", "energy"
"""Objectives that are published."""

RATE = 1e-5
RATES = {"unet": 5e-5, "rnnt": 5e-5, "resnet50": 7.5e-5, "retinanet": 7.5e-5, "bert": RATE}
"""Published learning rates for EDP: that of all networks, and of those that it was chosen for."""

ENERGY_RATE = 1e-4
"""The published one for energy, whatever the network."""

ORDERINGS = ITERATE, NONE = ("iterate", "none")


@dataclass(frozen=True)
class DosaStrategy:
    """Adam on the factors of ``starts`` designs, rounded every ``round_steps`` of ``steps``.

    A start is random hardware with the mappings of CoSA's program (``start`` "cosa"), or with each
    layer's best of ``start_mappings`` random ones ("random").
    ``ordering``: whether roundings try the three orders of the outermost level in which a tensor
    stands still. All starts descend together.
    """

    starts: int = 7
    steps: int = 1490
    round_steps: int = 500
    learning_rate: float | None = None
    start: str = COSA
    start_mappings: int = 100
    ordering: str = ITERATE
    name: str = field(default="dosa", init=False)
    needs_gradient: ClassVar[bool] = True
    pads: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name in ("starts", "steps", "round_steps", "start_mappings"):
            positive_int(f"strategy.{name}", getattr(self, name))
        if self.learning_rate is not None:
            positive_number("strategy.learning_rate", self.learning_rate)
        choice("strategy.start", self.start, STARTS)
        choice("strategy.ordering", self.ordering, ORDERINGS)

    def rate(self, network: str, objective: str) -> float:
        """Return the learning rate for a network: as given, or as published for it."""
        published = ENERGY_RATE if objective == ENERGY else RATES.get(network, RATE)
        return self.learning_rate or published

    def untuned(self, network: str, objective: str) -> list[str]:
        """Return what to know of a rate that the publication chose for something else, if it is."""
        if self.learning_rate is not None or objective == ENERGY:
            return []
        if objective == EDP and network in RATES:
            return []
        return [
            f"strategy.learning_rate is null, and DOSA's publication chose none for {network!r} by "
            f"objective={objective}: taken is {self.rate(network, objective):g}, which was tuned "
            "for none like it; strategy.learning_rate=NUMBER sets another (docs/dosa.md)"
        ]

    def check(self, problem: SearchProblem) -> None:
        """Any problem will do."""

    def advance(
        self, problem: SearchProblem, state: SearchState, budget: Budget, seed: int
    ) -> Iterator[None]:
        """Draw starts, descend, round; see ``Strategy.advance``."""
        described = problem.workload.name, problem.objective.name
        rate, reorder = self.rate(*described), self.ordering == ITERATE
        state.warnings = self.untuned(*described)
        plan = Plan(self.starts, self.steps, self.round_steps, rate, reorder)
        run = DosaRun(plan, problem, state, budget)
        starts = Starts(self.start, self.start_mappings, problem, budget, seed)
        while not state.done:
            if state.phase == "begin":
                run.begin(starts)
            else:
                run.descend()
            yield
