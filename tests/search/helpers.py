"""Small search problems and short searches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.helpers import gemmini
from tilegrad.accelerator import Accelerator
from tilegrad.cost.latency import NEST_LATENCY, LatencyModel
from tilegrad.fingerprint.record import Fingerprint
from tilegrad.search import (
    Budget,
    GradientStrategy,
    RandomStrategy,
    Runner,
    SearchProblem,
    SearchState,
    Strategy,
    design_record,
    hardware_space,
    objective,
)
from tilegrad.workload import Problem, Workload

SHORT_GRADIENT = GradientStrategy(starts=8, steps=10, polish_rows=20_000, polish_rounds=3)
BRIEF_GRADIENT = GradientStrategy(starts=4, steps=5, polish_rows=2000, polish_rounds=2)
"""Ends near an optimum of tiny layers, in half a second."""

SHORT_RANDOM = RandomStrategy(designs=300)

OF_ANY = Fingerprint("search", {})
"""Of searches that have their directories to themselves."""

SMALL = Workload(
    "small",
    (
        Problem("conv", (3, 3, 14, 14, 8, 16, 1), (1, 1, 1, 1), count=2),
        Problem("strided", (3, 1, 8, 4, 16, 8, 2), (2, 1, 1, 2)),
        Problem("linear", (1, 1, 1, 24, 32, 48, 1)),
    ),
)


TINY = Workload(
    "tiny",
    (
        Problem("conv", (3, 1, 4, 4, 4, 8, 1), (2, 1, 1, 1), count=2),
        Problem("linear", (1, 1, 1, 2, 16, 8, 1)),
    ),
)


@dataclass(frozen=True)
class Limits:
    """What a user may fix or cap."""

    hardware: Mapping[str, object] = field(default_factory=dict)
    caps: Mapping[str, object] = field(default_factory=lambda: {"pe_dim": 16})


def small_problem(
    name: str = "edp",
    limits: Limits | None = None,
    workload: Workload = SMALL,
    accelerator: Accelerator | None = None,
    model: LatencyModel = NEST_LATENCY,
) -> SearchProblem:
    """Return a search of small layers."""
    limits = limits or Limits()
    accelerator = accelerator or gemmini()
    space = hardware_space(accelerator, limits.hardware, limits.caps)
    problem = SearchProblem(workload, space, objective(name), model)
    problem.check_feasible()
    return problem


def run(
    problem: SearchProblem,
    strategy: Strategy,
    directory: Path,
    seed: int = 0,
    budget: Budget | None = None,
) -> tuple[SearchState, str]:
    """Search in a directory; return the state and the status."""
    directory.mkdir(exist_ok=True)
    runner = Runner(problem, strategy, budget or Budget(), seed, directory, OF_ANY)
    return runner.run()


def record(state: SearchState, problem: SearchProblem) -> dict[str, Any]:
    """Return the best design's record."""
    assert state.best is not None
    return design_record(state.best, problem)


def outcome(state: SearchState, problem: SearchProblem) -> tuple[object, ...]:
    """Return everything that must repeat: design, counts and the history without its times."""
    history = [(samples, edp) for samples, _, edp in state.history]
    return record(state, problem), state.value, state.mappings, history
