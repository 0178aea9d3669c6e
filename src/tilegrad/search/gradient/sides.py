"""A search by a model whose latency jumps with the size of the array: each size by itself.

Gemmini's generator builds arrays of a power of two, so that no slope leads a descent from one to
the next, and designs on different arrays have little in common. A quick search on each tells which
is worth a whole one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf

from tilegrad.errors import InfeasibleError
from tilegrad.search.gradient.run import GradientRun, Plan
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState

LEAST_SIDE = 4
"""The smallest array that is searched by itself, in rows; the limit, where that is lower."""

QUICK_STARTS, QUICK_SHARE = 4, 8
"""Starts of a quick search, and what share of the rows it polishes, in one round."""

WORSE, IN_A_ROW = 2.0, 2
"""After how many arrays that are so many times worse than the best smaller ones are left out."""


def told_apart(problem: SearchProblem) -> list[SearchProblem]:
    """Return the problem with each array that its model tells apart fixed, the largest first.

    Empty where there are none: they are fixed, the model is the nest's, or what is known of the
    best design leaves nothing to find out.
    """
    names = () if problem.learned is None or problem.near else problem.learned.doubling
    (name,) = [name for name in names if name not in problem.hardware.fixed] or [""]
    if not name:
        return []
    largest = problem.meshes[0][name]
    sides = [largest]
    while sides[-1] > LEAST_SIDE:
        sides.append(max(LEAST_SIDE, 2.0 ** ((int(sides[-1]) - 1).bit_length() - 1)))
    fixed = [_with(problem, name, side) for side in sides]
    return [each for each in fixed if _is_feasible(each)]


def _with(problem: SearchProblem, name: str, size: float) -> SearchProblem:
    space = problem.hardware
    return replace(problem, hardware=replace(space, fixed={**space.fixed, name: size}))


def _is_feasible(problem: SearchProblem) -> bool:
    try:
        problem.check_feasible()
    except InfeasibleError:
        return False
    return True


class SidesRun:
    """Quick searches of the problems ``apart``, then a whole one of the best, instead of ``whole``.

    Designs are those of its problem, whose sizes follow from the mappings.
    """

    def __init__(self, whole: GradientRun, apart: Sequence[SearchProblem]) -> None:
        self.whole = whole
        self.problem = whole.problem
        self.state = whole.state
        self.apart = apart
        self._runs: dict[int, GradientRun] = {}
        self._offered = inf

    def advance(self) -> None:
        """Do the next unit of work of the search that is on."""
        if not self.state.private:
            self.state.offer(self.problem.smallest(), self.problem)
            self.state.private = {"values": [], "run": SearchState().pack()}
        values = self.state.private["values"]
        run = self._run(len(values))
        try:
            run.advance()
        finally:
            self._take(run.state)
        if not run.state.done:
            self.state.private = {"values": values, "run": run.state.pack()}
            return
        self.state.done = len(values) == len(self.apart)
        values = _without_hopeless([*values, run.state.value], len(self.apart))
        self.state.private = {"values": values, "run": SearchState().pack()}

    def _run(self, number: int) -> GradientRun:
        """Return the search of a number, the whole one last, at where it stands."""
        if number not in self._runs:
            values = self.state.private["values"]
            whole = number == len(self.apart)
            self._offered = inf
            place = values.index(min(values)) if whole else number
            self._runs = {
                number: self.whole.of(
                    self.whole.plan if whole else _quick(self.whole.plan),
                    self.apart[place],
                    SearchState.unpack(self.state.private["run"]),
                )
            }
        run = self._runs[number]
        run.state.mappings, run.state.samples = self.state.mappings, self.state.samples
        run.state.seconds = self.state.seconds
        return run

    def _take(self, found: SearchState) -> None:
        """Offer what a search found, and count what it did."""
        self.state.mappings, self.state.samples = found.mappings, found.samples
        searches = 2 * len(self.apart)
        done = len(self.state.private["values"])
        share = len(self.apart) if done == len(self.apart) else 1
        self.state.fraction = (done + found.fraction * share) / searches
        if found.best is not None and found.value < self._offered:
            self._offered = found.value
            self.state.offer(found.best.alone(), self.problem)


def _without_hopeless(values: list[float], count: int) -> list[float]:
    """Return the values of arrays searched; infinite ones of all ``count``, where the rest is."""
    last = values[-IN_A_ROW:]
    hopeless = len(last) == IN_A_ROW and min(last) > WORSE * min(values)
    return [*values, *[inf] * (count - len(values))] if hopeless else values


def _quick(plan: Plan) -> Plan:
    return replace(
        plan,
        starts=min(plan.starts or QUICK_STARTS, QUICK_STARTS),
        polish_rounds=1,
        polish_rows=max(1, plan.polish_rows // QUICK_SHARE),
    )
