"""Reading a result back: the accelerator that it was found on, overrides included."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.targets.gemmini_design import DEFAULT, LAYERS, write_result
from tilegrad.accelerator import load_accelerator
from tilegrad.errors import AcceleratorError, ConfigError, DataError, MappingError
from tilegrad.paths import config_directory
from tilegrad.targets.design import layer_directory, read_design, result_accelerator


def test_the_accelerator_is_the_one_searched_on(tmp_path: Path) -> None:
    run = write_result(tmp_path)
    assert result_accelerator(run).counting == "timeloop-2022"
    described = yaml.safe_load((config_directory() / "accelerator" / "gemmini.yaml").read_text())
    described["accelerator"]["counting"] = "timeloop"
    (run / "config.yaml").write_text(yaml.safe_dump({**described, "seed": 0}))
    assert result_accelerator(run).counting == "timeloop"
    assert result_accelerator(run / "result.json").counting == "timeloop"
    assert read_design(run, result_accelerator(run)).hardware["pe_dim"] == 16


def test_what_is_no_result_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    for text, said in (
        ("", "is not JSON, perhaps truncated"),
        ("[1]", r"field the whole file is \[1\] \(legal: an object of named fields\)"),
        ("{}", "field accelerator is missing"),
        ('{"accelerator": "gemmini", "hardware": {}, "layers": 3}', "field layers is 3"),
    ):
        file.write_text(text)
        with pytest.raises(DataError, match=rf"result\.json: {said}"):
            result_accelerator(tmp_path)
    with pytest.raises(DataError, match=r"absent\.json: cannot be read"):
        result_accelerator(tmp_path / "absent.json")
    with pytest.raises(AcceleratorError, match="unknown accelerator 'gemini'"):
        result_accelerator(write_result(tmp_path, accelerator="gemini"))


def test_what_does_not_fit_is_refused_with_the_nearest_that_does(tmp_path: Path) -> None:
    gemmini = load_accelerator("gemmini")
    small = write_result(tmp_path, ["matrix product"], hardware={**DEFAULT, "scratchpad_kb": 16})
    needs = "Scratchpad must hold 60 KB .*, 44 KB more than its 16 KB; the nearest that fits, 2 "
    with pytest.raises(MappingError, match=f"layer 'matrix product': {needs}"):
        read_design(small, gemmini)
    problem, text = LAYERS["matrix product"]
    other = [{"name": "a", "problem": {**problem, "K": 128}, "mapping": text}]
    with pytest.raises(MappingError, match="'a': the factors of K multiply to 64; legal: 128"):
        read_design(write_result(tmp_path, layers=other), gemmini)
    with pytest.raises(DataError, match=r"layers is \[\] \(legal: a non-empty list\)"):
        read_design(write_result(tmp_path, layers=[]), gemmini)
    with pytest.raises(
        DataError, match=r"layers\[0\]\.mapping is None \(legal: a non-empty text\)"
    ):
        read_design(write_result(tmp_path, layers=[{**other[0], "mapping": None}]), gemmini)


def test_sizes_that_make_no_accelerator_are_refused(tmp_path: Path) -> None:
    run = write_result(tmp_path)
    described = yaml.safe_load((config_directory() / "accelerator" / "gemmini.yaml").read_text())
    described["accelerator"]["levels"][-1]["bandwidth"]["shared"] = "pe_dim - 16"
    (run / "config.yaml").write_text(yaml.safe_dump(described))
    with pytest.raises(ConfigError, match=r"shared: 'pe_dim - 16' is 0 at pe_dim 16; legal"):
        read_design(run, result_accelerator(run))


def test_names_of_layers_as_files() -> None:
    assert layer_directory(7, "a/b c.1-é") == "007_a_b_c.1-_"
