"""Areas that fall where a mesh grows: in the way only where the area counts."""

from __future__ import annotations

import pytest

from tests.search.helpers import SHORT_RANDOM, Limits, small_problem
from tilegrad.accelerator import load_accelerator
from tilegrad.errors import ConfigError
from tilegrad.search import Budget, ExactStrategy, SearchState
from tilegrad.workload import Problem, Workload

TINY = Workload("tiny", (Problem("linear", (1, 1, 1, 6, 8, 4, 1), (1, 1, 1, 1)),))


def test_a_tpu_of_free_sizes_is_proven_where_area_does_not_count() -> None:
    limits = Limits(caps={"rows": 4, "columns": 4})
    problem = small_problem("edp", limits, TINY, load_accelerator("tpu"))
    strategy = ExactStrategy(1e-3, workers=1)
    strategy.check(problem)
    proven, drawn = SearchState(), SearchState()
    for state, each in ((proven, strategy), (drawn, SHORT_RANDOM)):
        for _ in each.advance(problem, state, Budget().begin(), 0):
            pass
    assert 0 < proven.bound <= proven.value <= drawn.value
    assert proven.gap is not None
    assert proven.gap <= 1e-3
    with pytest.raises(ConfigError, match="an area that falls"):
        strategy.check(small_problem("area-delay", limits, TINY, load_accelerator("tpu")))
