"""How far a search's result is from the best possible: a bound proven when the search has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tilegrad.errors import ConfigError
from tilegrad.search.budget import Budget, in_time
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import Observer, SearchState, Strategy

if TYPE_CHECKING:
    from tilegrad.search.exact.effort import Effort

AUTO, FULL, BEST, NONE = "auto", "full", "best", "none"
BOUNDS = (AUTO, FULL, BEST, NONE)
"""What ``bound`` may be: what takes seconds; until the gap is ``GAP`` or time is over; the same,
taking better designs that the proof comes by; nothing."""

GAP = 0.001
"""The gap at which a proof ends."""

SEARCHING = 0.5
"""Share of a budget's seconds that the search has where a proof follows that may take as long."""


def proves(strategy: Strategy) -> bool:
    """Return whether a strategy bounds its results itself."""
    return getattr(strategy, "proves", False)


def add_bound(
    problem: SearchProblem, state: SearchState, kind: str, budget: Budget, observe: Observer
) -> None:
    """Bound the objective from below, or note in ``state.unproven`` why not.

    The exact strategy looks into the space with the design as one that is known. ``kind`` is of
    ``BOUNDS``; ``auto`` ends after as much work as ``exact.effort`` says, whatever the time. But
    for ``best`` the design stays.
    """
    if kind == NONE or (state.gap is not None and (kind == AUTO or state.gap <= GAP)):
        return
    # Imported here: most searches start without the exact strategy.
    from tilegrad.search.exact.effort import auto_effort, reason_against

    reason = reason_against(problem)
    effort = auto_effort(problem) if reason is None and kind == AUTO else None
    if effort is not None:
        reason = effort.reason
    if reason is None:
        try:
            reason = _prove(problem, state, kind, effort, budget, observe)
        except ConfigError as error:
            # Of a layer that the exact strategy looks at only when it is its turn.
            reason = str(error)
    state.unproven = "" if state.bound > 0 else reason or ""


def _prove(
    problem: SearchProblem,
    state: SearchState,
    kind: str,
    effort: Effort | None,
    budget: Budget,
    observe: Observer,
) -> str | None:
    """Go on until the bound suffices, or ``effort`` or time is over; return what kept it at 0."""
    from tilegrad.search.exact.strategy import ExactStrategy

    proof = SearchState(value=state.value, edp=state.edp, best=state.best)
    strategy, counted = ExactStrategy(GAP), 0
    for units, cut in enumerate(in_time(strategy.advance(problem, proof, budget, 0)), start=1):
        if kind == BEST:
            _take(state, proof, counted)
            counted = proof.mappings
        state.bound = max(state.bound, min(proof.bound, state.value))
        observe(state)
        if proof.done:
            state.cells = proof.private.get("closed", [])
        if effort is not None and effort.spent(units, proof):
            break
        if cut:
            return "budget.seconds left no time for it"
    return "the first steps of a proof gave no bound; bound=full goes on"


def _take(state: SearchState, proof: SearchState, counted: int) -> None:
    """Take what a proof found, and count its mappings but those ``counted`` before."""
    if proof.best is not None:
        state.count(proof.mappings - counted, proof.best.batch_shape[-1])
    if proof.value < state.value:
        state.value, state.edp, state.best = proof.value, proof.edp, proof.best
