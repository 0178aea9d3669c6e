"""Packaged templates whose sizes are all free: their defaults are the published ones, searched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from tests.search.contract import StrategyContract
from tests.search.helpers import BRIEF_GRADIENT, Limits, run, small_problem
from tests.search.test_contract import TINY, ShortRandom
from tilegrad.accelerator import load_accelerator
from tilegrad.errors import ConfigError
from tilegrad.search import GradientStrategy, SearchProblem, hardware_space
from tilegrad.search.objective import objective

FREE = ("eyeriss_free", "nvdla_free", "simba_free", "tpu")


def words_by_level(name: str) -> dict[str, float]:
    """Return the words of one instance of each level with a size, at the template's own sizes."""
    accelerator = load_accelerator(name)
    sizes = {n: float(each.default or 0) for n, each in accelerator.parameters.items()}
    return {
        accelerator.levels[each.level].name: float(torch.as_tensor(each.have(sizes)))
        for each in accelerator.requirements
        if not each.is_mesh
    }


@pytest.mark.parametrize(
    ("free", "published"), [("simba_free", "simba"), ("nvdla_free", "nvdla_small")]
)
def test_the_defaults_are_the_sizes_of_the_template_of_fixed_ones(
    free: str, published: str
) -> None:
    assert words_by_level(free) == words_by_level(published)
    sizes = {n: each.default for n, each in load_accelerator(free).parameters.items()}
    widths = [
        [float(torch.as_tensor(f.width(sizes))) for f in level.fanout.values()]
        for level in load_accelerator(free).levels
    ]
    fixed = [
        [float(torch.as_tensor(f.width({}))) for f in level.fanout.values()]
        for level in load_accelerator(published).levels
    ]
    assert widths == fixed


@pytest.mark.parametrize("name", FREE)
def test_every_size_is_told_by_mappings_and_costs_energy(name: str) -> None:
    accelerator = load_accelerator(name)
    plan = accelerator.plan()
    assert {step.name for step in plan.steps} == set(accelerator.parameters)
    assert not plan.checked
    problem = small_problem("edp", Limits({}, {}), TINY, accelerator)
    problem.pricing.check()
    assert not [text for text in problem.pricing.warnings if "do not grow" in text]


@pytest.mark.parametrize("name", FREE)
def test_default_hardware_is_the_templates_own(name: str) -> None:
    accelerator = load_accelerator(name)
    defaults = {n: each.default for n, each in accelerator.parameters.items()}
    assert hardware_space(accelerator, "default", {}).fixed == defaults
    with pytest.raises(ConfigError, match="hardware is 'published'; legal: the fields"):
        hardware_space(accelerator, "published", {})


@pytest.mark.exhaustive
class TestGradientOnTpu(StrategyContract):
    template = "tpu"
    workload = TINY
    strategy = BRIEF_GRADIENT
    quick = ("fixed buffers",)
    unlimited = Limits({}, {"rows": 8, "columns": 8})
    limits: Mapping[str, Limits] = {
        "fixed rows": Limits({"rows": 4}, {"columns": 4}),
        "fixed buffers": Limits({"accumulators_kb": 2, "unified_kb": 1}, {"rows": 8}),
        "caps": Limits({}, {"rows": 4, "columns": 2, "unified_kb": 1}),
    }
    margin = 0.05


class TestRandomOnFreeSimba(ShortRandom):
    template = "simba_free"
    unlimited = Limits({}, {"pes": 4, "mac_rows": 4, "mac_columns": 4})
    limits: Mapping[str, Limits] = {"fixed": Limits({"pes": 2, "weight_kb": 4}, {"mac_rows": 4})}


@pytest.mark.exhaustive
class TestGradientOnFreeSimba(StrategyContract):
    """A deep hierarchy: layers are mapped anew at several hardware points."""

    template = "simba_free"
    workload = TINY
    strategy = GradientStrategy(starts=4, steps=5)
    unlimited = Limits({}, {"pes": 4, "mac_rows": 4, "mac_columns": 4})
    limits: Mapping[str, Limits] = {"fixed": Limits({"pes": 2, "weight_kb": 4}, {"mac_rows": 4})}
    margin = 0.05


@pytest.mark.exhaustive
def test_no_worse_on_a_deep_template_than_on_its_own_sizes_at_their_area(tmp_path: Path) -> None:
    strategy = GradientStrategy(starts=4, steps=5)
    accelerator = load_accelerator("simba_free")
    caps = {"pes": 64, "mac_rows": 16, "mac_columns": 16, "area_mm2": 2.5}
    values = []
    for hardware, limits in (("default", {}), ({}, caps)):
        space = hardware_space(accelerator, hardware, limits)
        problem = SearchProblem(TINY, space, objective("edp"))
        state, status = run(problem, strategy, tmp_path / ("free" if limits else "default"))
        assert status == "complete"
        values.append(state.value)
    assert values[1] < values[0]
