"""Free sizes that cost nothing: refused without a cap, else warned of by name."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.search.helpers import BRIEF_GRADIENT, Limits, record, run, small_problem
from tilegrad.accelerator import build_accelerator
from tilegrad.errors import ConfigError
from tilegrad.paths import config_directory
from tilegrad.search import OBJECTIVES, hardware_space
from tilegrad.search.pricing import Pricing
from tilegrad.workload import Problem, Workload

BUFFERS = {"pe_dim": 16, "scratchpad_kb": 64}


def described(name: str) -> dict[str, Any]:
    """Return a packaged description, to be changed."""
    text = (config_directory() / "accelerator" / f"{name}.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = deepcopy(yaml.safe_load(text)["accelerator"])
    del found["_target_"]
    return found


def pricing(
    description: dict[str, Any],
    objective: str = "edp",
    hardware: dict[str, Any] | None = None,
    caps: dict[str, Any] | None = None,
) -> Pricing:
    accelerator = build_accelerator(**description)
    return Pricing(hardware_space(accelerator, hardware or {}, caps or {}), OBJECTIVES[objective])


def free_simba(**changes: Any) -> dict[str, Any]:
    """Return Simba with a global buffer of a free size, its level changed."""
    simba = described("simba")
    simba["parameters"] = {"global_kb": {"min": 1, "unit": "KB"}}
    buffer = simba["levels"][4]
    del buffer["capacity_words"]
    buffer |= {"capacity_kb": "global_kb", **changes}
    return simba


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_gemmini_prices_its_sizes_by_size(objective: str) -> None:
    found = pricing(described("gemmini"), objective)
    found.check()
    assert found.warnings == ()


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_free_size_on_which_nothing_depends_is_refused(objective: str) -> None:
    with pytest.raises(ConfigError) as caught:
        pricing(free_simba(), objective).check()
    words = ("hardware.global_kb is null", "accelerator simba", "legal:", "caps.global_kb=NUMBER")
    assert not [word for word in words if word not in str(caught.value)]


PRICES: list[dict[str, Any]] = [
    {"area_mm2": "0.1 + 0.001 * global_kb"},
    {"access_pj": {"reads": "1 + 0.1 * global_kb", "fills": 1, "updates": 1}},
    {"bandwidth": {"read": "64 / global_kb"}},
]


@pytest.mark.parametrize("price", PRICES, ids=str)
def test_any_price_is_enough_not_to_be_refused(price: dict[str, Any]) -> None:
    pricing(free_simba(**price)).check()


def test_what_falls_with_the_size_is_no_price() -> None:
    with pytest.raises(ConfigError, match=r"hardware\.global_kb is null and without a cap"):
        pricing(free_simba(area_mm2="1 / global_kb")).check()


def test_a_cap_or_a_number_is_enough_not_to_be_refused() -> None:
    capped = pricing(free_simba(), caps={"global_kb": 64})
    capped.check()
    (warning,) = capped.warnings
    assert "do not grow with global_kb" in warning
    assert "up to caps.global_kb = 64" in warning
    fixed = pricing(free_simba(), hardware={"global_kb": 64})
    fixed.check()
    assert fixed.warnings == ()


def test_accelergys_constants_are_warned_of_where_energy_counts() -> None:
    gemmini = described("gemmini") | {"energy": "accelergy"}
    warned = pricing(gemmini)
    warned.check()
    assert len(warned.warnings) == 2
    for text, name in zip(warned.warnings, ("scratchpad_kb", "accumulator_kb"), strict=True):
        assert f"the energies of accelerator gemmini do not grow with {name}" in text
    assert len(pricing(gemmini, hardware=BUFFERS).warnings) == 1
    assert pricing(gemmini, "area-delay").warnings == ()


def test_sizes_at_which_a_field_makes_no_sense_are_named() -> None:
    gemmini = described("gemmini")
    gemmini["levels"][3]["bandwidth"] = {"shared": "8 - scratchpad_kb"}
    (warning,) = pricing(gemmini).warnings
    assert "gemmini.levels[3].bandwidth.shared: '8 - scratchpad_kb' is -" in warning
    assert warning.endswith("such hardware is not searched")
    space = pricing(gemmini, caps={"scratchpad_kb": 7})
    assert space.warnings == ()


def test_levels_without_area_are_named_where_area_counts() -> None:
    large = described("nvdla_large")
    assert pricing(large).warnings == ()
    for found in (pricing(large, "area-delay"), pricing(large, caps={"area_mm2": 5})):
        (warning,) = found.warnings
        assert "Registers, Accumulator, ConvolutionBuffer have no area_mm2" in warning


@pytest.mark.slow
def test_sizes_of_a_sized_table_are_priced_and_bounded(tmp_path: Path) -> None:
    """Under constants the search takes what mappings can use, under sized figures less."""
    layer = Problem("linear", (1, 1, 1, 128, 256, 256, 1))
    simba = free_simba()
    found = {}
    for energy in ("accelergy", "sram-40nm"):
        accelerator = build_accelerator(**{**simba, "energy": energy})
        limits = Limits({}, {"global_kb": 4096})
        problem = small_problem("energy", limits, Workload("one", (layer,)), accelerator)
        state, _ = run(problem, BRIEF_GRADIENT, tmp_path / energy)
        found[energy] = record(state, problem)["hardware"]["global_kb"]
        warned = [text for text in problem.pricing.warnings if "do not grow" in text]
        assert bool(warned) == (energy == "accelergy")
    assert found["sram-40nm"] < found["accelergy"] <= 4096
