"""When a search pads: against all factors of a mesh, and by the configuration."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hydra.utils import get_class

from tests.search.helpers import BRIEF_GRADIENT, Limits, run, small_problem
from tilegrad.accelerator import load_accelerator
from tilegrad.composing import composed
from tilegrad.mapping.covers import ceil_div
from tilegrad.paths import config_directory
from tilegrad.search.build import build_runner
from tilegrad.search.padding import UNPADDED, idleness
from tilegrad.workload import Problem, Workload, load_workload

NETWORKS = (
    "alexnet", "bert", "deepbench", "resnet50", "resnext50_32x4d", "retinanet", "unet", "vgg16",
)  # fmt: skip


def product_of(p: int, c: int, k: int) -> Problem:
    return Problem("product", (1, 1, p, 1, c, k, 1))


@pytest.mark.parametrize(("c", "k"), [(16, 16), (24, 10), (197, 3), (35, 64), (1000, 17)])
def test_meshes_of_one_dim_against_every_factor(c: int, k: int) -> None:
    found = idleness(Workload("one", (product_of(5, c, k),)), load_accelerator("gemmini"), SIZES)
    factors = range(1, WIDTH + 1)
    perfect = min((c // a) * (k // b) for a, b in product(factors, factors) if not (c % a or k % b))
    padded = min(ceil_div(c, a) * ceil_div(k, b) for a, b in product(factors, factors))
    assert found.steps == pytest.approx(perfect / padded)
    assert found.pays == (found.steps >= 1.1)


def test_several_dims_on_one_axis_fill_it_together() -> None:
    """Eyeriss spreads P, Q and K over 14 columns: 7 pixels and 2 channels fill them."""
    layer = Problem("conv", (1, 1, 7, 1, 12, 8, 1))
    found = idleness(Workload("one", (layer,)), load_accelerator("eyeriss"), {})
    columns = [mesh for mesh in found.meshes if mesh.width == 14]
    assert not columns
    alone = Problem("conv", (1, 1, 13, 1, 12, 1, 1))
    assert idleness(Workload("one", (alone,)), load_accelerator("eyeriss"), {}).steps == 1.0


WIDTH = 16
SIZES = {"pe_dim": float(WIDTH)}


@pytest.mark.parametrize("width", [16.0, 128.0])
@pytest.mark.parametrize("name", NETWORKS)
def test_no_packaged_network_is_padded_on_gemmini(name: str, width: float) -> None:
    found = idleness(load_workload(name), load_accelerator("gemmini"), {"pe_dim": width})
    assert not found.pays


def problem_of(directory: Path, **given: Any) -> Any:
    (directory / "layers.csv").write_text(
        "layer,N,K,C,P,Q,R,S\nscores,1,197,64,197,1,1,1\nlast,1,8,8,4,1,1,1\n"
    )
    given = {"workload": str(directory / "layers.csv"), "dir": str(directory / "run"), **given}
    return build_runner(composed("search", given, ())).problem


def test_auto_pads_where_it_pays_and_says_what_is_wasted_where_it_cannot(tmp_path: Path) -> None:
    assert problem_of(tmp_path).padded
    assert problem_of(tmp_path).warnings == problem_of(tmp_path, padding="always").warnings
    unpadded = problem_of(tmp_path, padding="none")
    assert not unpadded.padded
    (warning,) = set(unpadded.warnings) - set(problem_of(tmp_path).warnings)
    assert (
        "layer 'scores' spreads K 197 over 1 of 128 instances along X below Scratchpad" in warning
    )
    assert "(98.5 if padded)" in warning
    assert "padding=auto" in warning
    assert "strategy=cosa, dosa, exact and gemmini_library search none" in warning
    assert "last" not in warning
    assert not problem_of(tmp_path, target="gemmini").padded
    assert not problem_of(tmp_path, strategy="exact").padded
    assert warning in problem_of(tmp_path, strategy="dosa").warnings
    assert problem_of(tmp_path, target="timeloop").padded
    beside = problem_of(tmp_path, ckpt="gemmini_rtl")
    assert not beside.padded
    assert warning in beside.warnings


def test_the_strategies_that_are_said_not_to_pad_are_those_that_do_not() -> None:
    found = set()
    for path in (config_directory() / "strategy").glob("*.yaml"):
        described = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not get_class(described["_target_"]).pads:
            found.add(path.stem)
    assert set(UNPADDED) == found


def test_padded_mappings_that_are_mapped_anew_cover_their_bounds(tmp_path: Path) -> None:
    """Where no size is free, the search's last part begins with padded candidates."""
    workload = Workload("primes", (product_of(1, 23, 13),))
    problem = small_problem("edp", Limits({}, {}), workload, load_accelerator("eyeriss"))
    found, _ = run(replace(problem, padded=True), BRIEF_GRADIENT, tmp_path)
    assert found.best is not None
    bounds = torch.tensor([layer.bounds for layer in workload.layers], dtype=torch.float64)
    assert found.best.temporal.equal(found.best.temporal.round())
    assert (found.best.bounds() >= bounds).all()
    assert (found.best.bounds() > bounds).any()
