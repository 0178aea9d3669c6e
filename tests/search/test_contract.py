"""Every strategy keeps the contract of a search."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.search.contract import StrategyContract
from tests.search.helpers import BRIEF_GRADIENT, SHORT_RANDOM, TINY, Limits, outcome, run
from tilegrad.search import (
    Budget,
    LatinStrategy,
    RandomStrategy,
    SearchState,
    random,
)
from tilegrad.search.two_loop import loop


class TestGradient(StrategyContract):
    strategy = BRIEF_GRADIENT
    workload = TINY
    quick = ("all fixed", "wide mesh, little in each column", "fixed mesh and area cap")


class TestRandom(StrategyContract):
    strategy = SHORT_RANDOM
    unit = (random, "MAPPINGS_PER_UNIT", 150)

    def test_a_longer_budget_goes_on_to_the_same_end(
        self, whole: SearchState, tmp_path: Path
    ) -> None:
        problem = self.problem()
        for samples in (5, 7, 90):
            run(problem, self.strategy, tmp_path, budget=Budget(samples))
        resumed, status = run(problem, self.strategy, tmp_path)
        assert status == "complete"
        # The history notes where the budgets ended, too.
        *found, history = outcome(resumed, problem)
        *expected, expected_history = outcome(whole, problem)
        assert found == expected
        assert isinstance(history, list)
        assert isinstance(expected_history, list)
        assert set(history) > set(expected_history)


class TestLatin(StrategyContract):
    strategy = LatinStrategy(hardware=6, mappings=8)
    workload = TINY
    quick = ("all fixed", "fixed mesh and area cap")
    # The mappings are the same, their choice for a product ends in a valley.
    margin = 0.02
    unit = (loop, "SAMPLES_PER_UNIT", 18)


class FixedSizes:
    """A packaged accelerator whose sizes are all fixed; the area is the only limit to set."""

    workload = TINY
    unlimited = Limits({}, {})
    limits: Mapping[str, Limits] = {"roomy area cap": Limits({}, {"area_mm2": 1e3})}


class ShortGradient(FixedSizes, StrategyContract):
    strategy = BRIEF_GRADIENT
    margin = 0.05


class ShortRandom(FixedSizes, StrategyContract):
    strategy = RandomStrategy(designs=200)
    unit = (random, "MAPPINGS_PER_UNIT", 100)


@pytest.mark.exhaustive
class TestGradientOnSimba(ShortGradient):
    template = "simba"


@pytest.mark.slow
class TestRandomOnSimba(ShortRandom):
    template = "simba"


@pytest.mark.exhaustive
class TestGradientOnEyeriss(ShortGradient):
    template = "eyeriss"


class TestRandomOnEyeriss(ShortRandom):
    template = "eyeriss"


@pytest.mark.slow
class TestLatinOnEyeriss(FixedSizes, StrategyContract):
    strategy = LatinStrategy(hardware=3, mappings=20)
    template = "eyeriss"


@pytest.mark.exhaustive
class TestGradientOnNvdlaSmall(ShortGradient):
    template = "nvdla_small"


@pytest.mark.slow
class TestRandomOnNvdlaSmall(ShortRandom):
    template = "nvdla_small"


@pytest.mark.exhaustive
class TestGradientOnNvdlaLarge(ShortGradient):
    template = "nvdla_large"


class TestRandomOnNvdlaLarge(ShortRandom):
    template = "nvdla_large"
