"""Every strategy keeps to caps on latency and power that bind, on a layer of few designs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.search.helpers import BRIEF_GRADIENT, SHORT_RANDOM, run
from tests.search.test_caps import capped, halfway, totals
from tilegrad.paths import config_directory
from tilegrad.search import (
    BayesianStrategy,
    DosaStrategy,
    EvolutionStrategy,
    ExactStrategy,
    LatinStrategy,
    OneLoopBayesianStrategy,
    SearchProblem,
    SearchState,
    Strategy,
)
from tilegrad.search.caps import LATENCY, NO_CAPS, POWER, Caps

SEED = 11
"""Of a layer whose fastest designs take 1.7 times the least energy, and 8 times the least power."""

STRATEGIES: Mapping[str, Strategy] = {
    each.name: each
    for each in (
        SHORT_RANDOM,
        BRIEF_GRADIENT,
        ExactStrategy(),
        LatinStrategy(hardware=8, mappings=20),
        EvolutionStrategy(population=20, generations=6),
        DosaStrategy(2, 40, 10, learning_rate=1e-2, start="random", start_mappings=20),
        BayesianStrategy(hardware=12, mappings=12, initial=8, batch=2, ranked=0),
        OneLoopBayesianStrategy(designs=90, initial=50, batch=20, kept=40),
    )
}

EXEMPT = {
    "cosa": "maps given sizes once, by an objective of its own: of its tiles caps are not asked",
    "gemmini_library": "offers the one design that the library runs",
}
"""Strategies that seek nothing beyond a cap, with the reason."""

NEEDS = {"evolution": "pymoo", "bayesian": "botorch", "bayesian_one_loop": "botorch"}

# GPyTorch's, where it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")


def figures(state: SearchState, problem: SearchProblem) -> dict[str, float]:
    """Return the best design's cycles, and its pJ a cycle."""
    assert state.best is not None
    cost, _ = problem.evaluate(state.best.alone())
    return {
        LATENCY: float(cost.cycles[0]),
        POWER: float(cost.energy_pj[0]) / float(cost.cycles[0]),
    }


def test_every_strategy_is_here_or_exempt() -> None:
    packaged = {path.stem for path in (config_directory() / "strategy").glob("*.yaml")}
    assert packaged == set(STRATEGIES) | set(EXEMPT)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if NEEDS.get(name) == "botorch" else name
        for name in STRATEGIES
    ],
)
def test_caps_that_bind_are_kept_to(name: str, tmp_path: Path) -> None:
    if name in NEEDS and find_spec(NEEDS[name]) is None:
        pytest.skip(f"needs {NEEDS[name]}")
    strategy, free = STRATEGIES[name], {}
    for objective in ("energy", "latency"):
        problem = capped(objective, NO_CAPS, SEED)
        free[objective] = figures(run(problem, strategy, tmp_path / objective)[0], problem)
    energy, cycles = totals(SEED)
    for figure, minimised, least, every in (
        (LATENCY, "energy", "latency", cycles),
        (POWER, "latency", "energy", energy / cycles),
    ):
        cap = halfway(free[minimised][figure], free[least][figure])
        assert cap < free[minimised][figure] * (1 - 1e-9)
        caps = Caps(cycles=cap) if figure == LATENCY else Caps(pj_per_cycle=cap)
        problem = capped(minimised, caps, SEED)
        found, status = run(problem, strategy, tmp_path / figure)
        assert status == "complete"
        assert figures(found, problem)[figure] <= cap
        best = (energy if minimised == "energy" else cycles)[every <= cap].min()
        assert found.value >= float(best) * (1 - 1e-9)
