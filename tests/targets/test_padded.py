"""Designs with padded mappings: what is exported is what they cover, and it says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.targets.conftest import MAPPING
from tilegrad.accelerator import load_accelerator
from tilegrad.errors import ConfigError, MappingError
from tilegrad.mapping import parse_shorthand
from tilegrad.report.loopnest import loop_nest_text
from tilegrad.targets.design import read_design
from tilegrad.targets.gemmini.export import export_gemmini
from tilegrad.targets.timeloop.export import export_result
from tilegrad.workload import Problem

GEMMINI = load_accelerator("gemmini")


def of_size(run: Path, pixels: int) -> Path:
    """Return the run with layers of that many pixels; the mapping's 8 tiles of 2 stay."""
    result = json.loads((run / "result.json").read_text())
    for layer in result["layers"]:
        layer["problem"] = {**layer["problem"], "P": pixels}
    (run / "result.json").write_text(json.dumps(result))
    return run


def test_timeloop_gets_the_padded_problem_and_says_so(run: Path, tmp_path: Path) -> None:
    first, *_ = export_result(of_size(run, 15), GEMMINI, "0.3", tmp_path / "out")
    problem = yaml.safe_load((first / "problem.yaml").read_text())["problem"]
    assert problem["instance"]["P"] == 16
    told = (tmp_path / "out" / "README.md").read_text()
    assert f"what their mappings cover: {first.name} (P 15 as 16)" in told


def test_perfect_mappings_say_nothing_of_padding(run: Path, tmp_path: Path) -> None:
    export_result(run, GEMMINI, "0.3", tmp_path / "out")
    assert "added" not in (tmp_path / "out" / "README.md").read_text()


def test_gemmini_has_no_program_of_a_padded_layer(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"its mapping is padded.*search padding=none"):
        export_gemmini(of_size(run, 15), GEMMINI, tmp_path / "out")


@pytest.mark.parametrize("pixels", [14, 17])
def test_a_tile_too_many_or_too_few_is_refused(run: Path, pixels: int) -> None:
    with pytest.raises(
        MappingError, match=f"P multiply to 16; legal: {pixels}, or the least above"
    ):
        read_design(of_size(run, pixels), GEMMINI)


def test_a_loop_nest_tells_what_is_padded() -> None:
    problem = Problem("layer", (1, 1, 15, 1, 64, 8, 1))
    text = loop_nest_text(parse_shorthand(MAPPING, GEMMINI), GEMMINI, problem)
    assert "(7,680 MACs, padded to 8,192: P 15 as 16)" in text.splitlines()[0]
