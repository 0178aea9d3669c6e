"""Several networks on one hardware: against all designs of two tiny networks, enumerated."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.search.brute_force import every_design
from tests.search.helpers import BRIEF_GRADIENT, Limits, run, small_problem
from tests.search.test_optimum import WIDTH, coarse, tiny_layer
from tilegrad.search import ExactStrategy, SearchProblem
from tilegrad.search.own import OwnBest
from tilegrad.workload import Workload, several_networks

PAIRS = [(1, 2), pytest.param((8, 2), marks=pytest.mark.exhaustive)]
WEIGHTS = {"sum": (1.0, 3.0), "geomean": (1.0, 3.0), "worst": (1.01, 1.0)}


def pair(seeds: tuple[int, int], rule: str) -> Workload:
    """Return two networks of a tiny layer each."""
    named = zip(("one", "two"), seeds, strict=True)
    networks = {name: Workload(name, (tiny_layer(seed),)) for name, seed in named}
    return several_networks(networks, list(WEIGHTS[rule]), rule)


@cache
def figures(seeds: tuple[int, int]) -> Tensor:
    """Return the EDP [pJ*cycles] of each network in every design, ``[design, network]``."""
    energy, cycles, _ = every_design(pair(seeds, "sum"), coarse(), WIDTH)
    return energy * cycles


def least(edp: Tensor, rule: str) -> float:
    """Return the least of what the rule makes of EDPs ``[design, network]``."""
    one, two = edp.unbind(-1)
    if rule == "sum":
        return float((one + 3 * two).min())
    if rule == "geomean":
        return float((one * two**3).pow(0.25).min())
    own = edp.amin(0)
    return float(torch.maximum(1.01 * one / own[0], two / own[1]).min())


def problem_of(workload: Workload, edp: Tensor) -> SearchProblem:
    """Return the search of two networks whose own bests are known."""
    problem = small_problem("edp", Limits({}, {"pe_dim": WIDTH}), workload, coarse())
    return replace(problem, own=tuple(map(OwnBest, edp.amin(0).tolist())))


@pytest.mark.parametrize("rule", ["sum", "geomean", "worst"])
@pytest.mark.parametrize("seeds", PAIRS, ids=str)
def test_two_networks_have_the_enumerated_optimum(
    seeds: tuple[int, int], rule: str, tmp_path: Path
) -> None:
    workload, edp = pair(seeds, rule), figures(seeds)
    value, problem = least(edp, rule), problem_of(workload, edp)
    # No hardware is the best of both.
    assert least(edp.amin(0, keepdim=True), rule) < value * 0.999
    exact, _ = run(problem, ExactStrategy(gap=1e-8), tmp_path / "exact")
    assert exact.value == pytest.approx(value, rel=1e-9)
    assert value * (1 - 2e-8) <= exact.bound <= value
    found, _ = run(problem, BRIEF_GRADIENT, tmp_path / "gradient")
    assert value * (1 - 1e-9) <= found.value <= value * 1.01
