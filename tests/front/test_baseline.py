"""Random designs' fronts, against all designs drawn one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.helpers import gemmini
from tilegrad.cost.network import network_cost
from tilegrad.front.baseline import SAMPLES, SECONDS, load, random_front, save
from tilegrad.front.figures import read_figures
from tilegrad.search import SearchProblem, hardware_space, objective
from tilegrad.search.random import RandomDesigns, designs_per_unit
from tilegrad.workload import Problem, Workload

DESIGNS = 40


@pytest.fixture
def problem() -> SearchProblem:
    layers = (
        Problem.from_fields("conv", {"R": 3, "S": 3, "P": 4, "Q": 4, "C": 4, "K": 8}),
        Problem.from_fields("linear", {"R": 1, "S": 1, "P": 4, "Q": 1, "C": 8, "K": 8}),
    )
    space = hardware_space(gemmini(), {}, {"pe_dim": 4})
    return SearchProblem(Workload("two", layers), space, objective("edp"))


def test_the_front_is_what_no_drawn_design_dominates(
    problem: SearchProblem, tmp_path: Path
) -> None:
    figures = read_figures(["edp", "area_mm2"])
    shares: list[float] = []
    found = random_front(problem, figures, 3, SAMPLES, DESIGNS, shares.append)
    assert found.samples == DESIGNS
    assert shares[-1] == 1.0
    unit = designs_per_unit(problem)
    drawn = RandomDesigns.of(problem, 3).draw(0, unit, lambda: None)[:DESIGNS]
    rows = []
    for at in range(DESIGNS):
        cost = network_cost(drawn[at : at + 1], problem.workload, problem.accelerator, {})
        edp = float(cost.energy_pj) * 1e-6 * float(cost.cycles)
        rows.append((edp, float(cost.area_mm2)))
    best = [
        one for one in rows
        if not any(other != one and other[0] <= one[0] and other[1] <= one[1] for other in rows)
    ]  # fmt: skip
    assert np.allclose(sorted(found.values), sorted(set(best)), rtol=1e-12)
    assert len(best) > 1
    save(found, tmp_path)
    assert load(tmp_path, SAMPLES, DESIGNS) == found
    assert load(tmp_path, SECONDS, DESIGNS) is None
