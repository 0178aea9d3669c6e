"""The search where sizes are shared, computed or divided: against all hardware and all mappings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers_slow import slow_but
from tests.search.brute_force import optimum_over
from tests.search.helpers import SHORT_GRADIENT, Limits, record, run, small_problem
from tests.search.templates import template
from tilegrad.accelerator import Accelerator
from tilegrad.workload import Problem, Workload

LAYERS = Workload(
    "two",
    (
        Problem("conv", (1, 1, 2, 1, 4, 4, 1), (1, 1, 1, 1), count=2),
        Problem("sliding", (2, 1, 4, 1, 2, 2, 1), (2, 1, 1, 1)),
    ),
)
WIDTH = 4


@dataclass(frozen=True)
class Case:
    """A template, what is fixed of it, and the largest sizes of the others."""

    accelerator: Accelerator
    fixed: dict[str, int]
    most: dict[str, int]


CASES = {
    "shared": Case(
        template("scratchpad_kb", "scratchpad_kb"),
        {"accumulator_kb": 1, "other": 1},
        {"pe_dim": WIDTH, "scratchpad_kb": 9},
    ),
    "derived": Case(
        template("scratchpad_kb / 2", "scratchpad_kb"),
        {"accumulator_kb": 1, "other": 1},
        {"pe_dim": WIDTH, "scratchpad_kb": 12},
    ),
    "product": Case(
        template("accumulator_kb * other", "scratchpad_kb", down="other"),
        {"scratchpad_kb": 4},
        {"pe_dim": WIDTH, "other": WIDTH, "accumulator_kb": 5},
    ),
    "of each instance": Case(
        template("accumulator_kb * pe_dim", "scratchpad_kb"),
        {"other": 1},
        {"pe_dim": WIDTH, "accumulator_kb": 3, "scratchpad_kb": 6},
    ),
    "divided": Case(
        template("4", "scratchpad_kb"),
        {"accumulator_kb": 1, "other": 1},
        {"pe_dim": WIDTH, "scratchpad_kb": 8},
    ),
    "a mesh that is a size too": Case(
        template("accumulator_kb", "2 * pe_dim"),
        {"other": 1, "scratchpad_kb": 1},
        {"pe_dim": WIDTH, "accumulator_kb": 6},
    ),
    "a derived mesh": Case(
        template("accumulator_kb", "scratchpad_kb", across="2 * other", down="other"),
        {"pe_dim": 2},
        {"other": 2, "accumulator_kb": 4, "scratchpad_kb": 6},
    ),
}


@pytest.mark.parametrize("name", slow_but(CASES, "product"))
def test_a_search_reaches_the_optimum_over_all_hardware_and_mappings(
    name: str, tmp_path: Path
) -> None:
    case = CASES[name]
    lowest = {n: int(each.minimum) for n, each in case.accelerator.parameters.items()}
    grid = {n: [float(size)] for n, size in case.fixed.items()}
    grid |= {n: [*map(float, range(lowest[n], top + 1))] for n, top in case.most.items()}
    least = optimum_over(LAYERS, case.accelerator, WIDTH, grid)
    problem = small_problem("edp", Limits(case.fixed, case.most), LAYERS, case.accelerator)
    state, status = run(problem, SHORT_GRADIENT, tmp_path / "search")
    assert status == "complete"
    # What a fixed size costs is worked out in single precision.
    assert least * (1 - 1e-7) <= state.value <= least * 1.01
    assert set(record(state, problem)["hardware"]) == set(lowest)
