"""The optimum of several networks on hardware without free sizes: that of each, one by one.

There no network is in another's way, and every rule grows with each network's figure.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tilegrad.search.budget import Budget
from tilegrad.search.exact.fixed import FixedRun
from tilegrad.search.exact.networks import joined
from tilegrad.search.exact.shown import EVERY
from tilegrad.search.own import joined_designs
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState


class FixedRuns:
    """One search of several networks; ``private``: the state of each one's.

    ``closed``: what shows the bound, in the end.
    """

    def __init__(
        self,
        gap: float,
        workers: int,
        problem: SearchProblem,
        state: SearchState,
        budget: Budget,
        threads: ThreadPoolExecutor,
    ) -> None:
        self.problem = problem
        self.state = state
        places = range(problem.goal.networks)
        saved = state.private.get("networks") or [{} for _ in places]
        self.states = [SearchState.unpack(each) for each in saved]
        self.runs = [
            FixedRun(gap, workers, problem.alone(place), self.states[place], budget, threads)
            for place in places
        ]

    def step(self) -> None:
        """Do one unit of work of the first network that is not done."""
        if self.state.phase == "begin":
            self.state.offer(self.problem.smallest(), self.problem)
            self.state.phase = "networks"
        place = next(at for at, each in enumerate(self.states) if not each.done)
        try:
            self.runs[place].step()
        finally:
            self.state.private = {"networks": [each.pack() for each in self.states]}
        self._join()

    def _join(self) -> None:
        state, states = self.state, self.states
        designs = [each.best for each in states if each.best is not None]
        if len(designs) == len(states):
            state.offer(joined_designs(designs), self.problem)
        bound = joined(self.problem.goal, [each.bound for each in states])
        state.bound = max(state.bound, min(bound, state.value))
        state.mappings = sum(each.mappings for each in states)
        state.samples = state.mappings // len(self.problem.workload)
        state.fraction = sum(each.done or each.fraction for each in states) / len(states)
        state.done = all(each.done for each in states)
        if state.done:
            state.private = {**state.private, "closed": [self._closed()]}

    def _closed(self) -> dict[str, Any]:
        """Return the hardware as a box that is settled, with what shows each network's bound."""
        cells = [each.private["closed"][0] for each in self.states]
        networks = [shown["networks"][0] for cell in cells for shown in cell["shown"]]
        shown = [{"filled": EVERY, "networks": networks}]
        return {**cells[0], "bound": self.state.bound, "shown": shown}
