"""Searches that begin beside designs near the best: no descent, and no worse for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.helpers import gemmini
from tilegrad.fingerprint.record import Fingerprint
from tilegrad.mapping import concatenate
from tilegrad.search import (
    Budget,
    GradientStrategy,
    Runner,
    SearchProblem,
    SearchState,
    hardware_space,
    objective,
)
from tilegrad.search.gradient.rounding import between
from tilegrad.workload import Problem, Workload

SMALL = GradientStrategy(starts=16, steps=5, polish_rows=20_000, workers=1)


def _problem(area: float | None) -> SearchProblem:
    layer = Problem.from_fields("conv", {"R": 3, "S": 1, "P": 6, "Q": 4, "C": 4, "K": 8})
    caps = {"pe_dim": 8} if area is None else {"pe_dim": 8, "area_mm2": area}
    space = hardware_space(gemmini(), {}, caps)
    return SearchProblem(Workload("one", (layer,)), space, objective("edp"))


def _searched(problem: SearchProblem, directory: Path) -> tuple[SearchState, list[str]]:
    directory.mkdir()
    phases: list[str] = []
    runner = Runner(problem, SMALL, Budget(), 0, directory, Fingerprint("search", {}), "none")
    state, status = runner.run(lambda each: phases.append(each.phase))
    assert status == "complete"
    return state, phases


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> list[SearchState]:
    place = tmp_path_factory.mktemp("ends")
    tight, loose = _problem(0.045), _problem(None)
    return [_searched(tight, place / "tight")[0], _searched(loose, place / "loose")[0]]


@pytest.mark.slow
def test_a_search_between_two_designs_descends_nothing_and_ends_as_one_that_does(
    ends: list[SearchState], tmp_path: Path
) -> None:
    problem = _problem(0.08)
    known = concatenate([end.best.alone() for end in ends if end.best is not None])
    near, phases = _searched(replace(problem, known=known, near=True), tmp_path / "near")
    alone, others = _searched(problem, tmp_path / "alone")
    assert "descend" in others
    assert "descend" not in phases
    assert near.value <= alone.value * 1.001
    assert ends[1].value <= near.value <= ends[0].value


def test_between_designs_lie_their_means_and_themselves() -> None:
    table = _problem(None).tables[0]
    random = torch.Generator().manual_seed(1)
    known = table.random(2, random)
    found = between(table, known)
    legal = [{tuple(row) for row in choices.tolist()} for choices in table.choices]
    for dim, slots in enumerate(table.space.slots_of):
        for row in found[:, list(slots)].tolist():
            assert not slots or tuple(row) in legal[dim]
    rows = {tuple(row) for row in found.tolist()}
    assert {tuple(row) for row in known.tolist()} <= rows
    mean = table.nearest((known[:1] * known[1:]).sqrt())
    assert tuple(mean[0].tolist()) in rows
