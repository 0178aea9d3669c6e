"""Runs a strategy unit by unit: budget, history, checkpoints, interruption."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from pathlib import Path
from time import monotonic

from tilegrad.errors import InfeasibleError
from tilegrad.fingerprint.record import Fingerprint
from tilegrad.memory import keep_freed_memory
from tilegrad.provenance import provenance
from tilegrad.search.bound import BEST, FULL, GAP, NONE, SEARCHING, add_bound, proves
from tilegrad.search.budget import Budget, in_time
from tilegrad.search.checkpoint import load_checkpoint, save_checkpoint
from tilegrad.search.diagnosis import diagnosis
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import Observer, SearchState, Strategy

CHECKPOINT_SECONDS = 2.0
"""Least time between two checkpoints: what a killed run may lose, beside its last unit."""


def run_name(problem: SearchProblem, strategy: Strategy) -> str:
    """Return a name after workload, accelerator and strategy."""
    return f"{problem.workload.name}-{problem.accelerator.name}-{strategy.name}"


@dataclass(frozen=True)
class Runner:
    """One search in one directory; its ``fingerprint`` tells it from others.

    ``bound``: of ``bound.BOUNDS``, what is proven of its result when it has ended.
    """

    problem: SearchProblem
    strategy: Strategy
    budget: Budget
    seed: int
    directory: Path
    fingerprint: Fingerprint
    bound: str = NONE

    @property
    def name(self) -> str:
        """What the search is called in directories and trackers."""
        return run_name(self.problem, self.strategy)

    def run(self, observe: Observer = lambda _: None) -> tuple[SearchState, str]:
        """Search, going on from the directory's checkpoint; return the state and a status.

        The status is ``complete``, ``budget`` or ``interrupted`` (by Ctrl-C). Raises
        ``InfeasibleError`` where the search ends without one legal design.
        """
        keep_freed_memory()
        state = load_checkpoint(self.directory, self.fingerprint.digest) or SearchState()
        try:
            self._prove_first(state, observe)
            self._advance(state, observe)
            self._prove(state, observe)
        except KeyboardInterrupt:
            return state, "interrupted"
        if state.best is None:
            if self.problem.caps.any:
                proven = state.bound == inf
                told = diagnosis(self.problem.caps, state.least, state.samples, proven)
                raise InfeasibleError(
                    f"no design within the caps among {state.samples:,} samples: {told}"
                )
            last = f" (the last one refused, {state.misfit})" if state.misfit else ""
            raise InfeasibleError(
                f"no feasible design among {state.samples:,} samples{last}: "
                "relax caps or hardware, or give a larger budget"
            )
        return state, "complete" if state.done else "budget"

    def _prove_first(self, state: SearchState, observe: Observer) -> None:
        """See whether a proof alone finds what is to be found, where designs are known before.

        Of a budget of seconds it leaves the strategy as much as it takes.
        """
        near = self.problem.known is not None and not proves(self.strategy)
        if self.bound != BEST or not near or state.done or state.seconds > 0:
            return
        self._begin(state)
        budget = self._searching.part(SEARCHING).begin()
        add_bound(self.problem, state, self.bound, budget, observe)
        state.seconds = budget.elapsed
        state.done = state.gap is not None and state.gap <= GAP
        state.record()
        save_checkpoint(self.directory, state, self.fingerprint.digest)

    def _begin(self, state: SearchState) -> None:
        """Note what goes on with the search; known designs are its first."""
        state.note(provenance(self.fingerprint))
        known = self.problem.beside
        if known is not None and state.best is None:
            state.offer(known, self.problem)

    def _advance(self, state: SearchState, observe: Observer) -> None:
        if state.done or self._searching.spent(state) >= 1:
            return
        self._begin(state)
        if not proves(self.strategy):
            # Of the design before; it is proven anew.
            state.bound, state.unproven, state.cells = 0.0, "", []
        budget, saved = self._searching.begin(state.seconds), monotonic()
        units = self.strategy.advance(self.problem, state, budget, self.seed)
        for cut in in_time(units):
            state.seconds = budget.elapsed
            state.record()
            observe(state)
            ended = cut or state.done or budget.spent(state) >= 1
            if ended or monotonic() - saved > CHECKPOINT_SECONDS:
                save_checkpoint(self.directory, state, self.fingerprint.digest)
                saved = monotonic()
            if ended:
                return

    @property
    def _searching(self) -> Budget:
        """The search's own budget, which leaves time to a full proof."""
        later = self.bound in (FULL, BEST) and not proves(self.strategy)
        return self.budget.part(SEARCHING) if later else self.budget

    def _prove(self, state: SearchState, observe: Observer) -> None:
        """Bound the best design's objective, unless the strategy does."""
        if state.best is None or proves(self.strategy):
            return
        before = state.bound, state.unproven
        budget = self.budget.begin(state.seconds)
        try:
            add_bound(self.problem, state, self.bound, budget, observe)
        finally:
            if (state.bound, state.unproven) != before:
                save_checkpoint(self.directory, state, self.fingerprint.digest)
