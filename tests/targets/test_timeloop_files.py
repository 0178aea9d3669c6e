"""Export of a result, and import of what was exported and of public architectures."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml

from tests.helpers_published import GOLDEN
from tests.targets.conftest import MAPPING
from tilegrad.accelerator import load_accelerator
from tilegrad.accelerator.accelergy import read_art, read_ert
from tilegrad.cli import main
from tilegrad.mapping import parse_shorthand
from tilegrad.targets.timeloop.nests import DIALECTS

EXERCISE = """\
architecture:
  version: 0.4
  nodes:
  - !Container
    name: system
  - !Component
    name: DRAM
    class: DRAM
    attributes: {width: 64, datawidth: 16}
  - !Component
    name: shared_glb
    class: smartbuffer_SRAM
    attributes: {depth: 16384, width: 64, n_banks: 32, datawidth: 16, read_bandwidth: 16}
    constraints:
      dataspace: {keep: [Inputs, Outputs], bypass: [Weights]}
  - !Container
    name: PE
    spatial: {meshX: 14, meshY: 12}
  - !Parallel
    nodes:
    - !Component
      name: ifmap_spad
      class: smartbuffer_RF
      attributes: {depth: 12, width: 16, datawidth: 16}
      constraints:
        dataspace: {keep: [Inputs]}
    - !Component
      name: psum_spad
      class: smartbuffer_RF
      attributes: {depth: 16, width: 16, datawidth: 16, update_fifo_depth: 2}
      constraints:
        dataspace: {keep: [Outputs]}
  - !Component
    name: mac
    class: intmac
"""
"""In the form of the public exercises."""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_exported_imports_again(run: Path, tmp_path: Path, dialect: str) -> None:
    out, back = tmp_path / "out", tmp_path / "back"
    arguments = ["export", str(run), "--target", "timeloop", "--dialect", dialect]
    assert main([*arguments, "--out", str(out)]) == 0
    layer = out / "001_two_b"
    files = ["--problem", str(layer / "problem.yaml"), "--mapping", str(layer / "mapping.yaml")]
    assert main(["import", str(out / "architecture.yaml"), *files, "--out", str(back)]) == 0
    found = load_accelerator(str(back / "accelerator.yaml"))
    expected = load_accelerator("gemmini")
    assert [level.name for level in found.levels] == [level.name for level in expected.levels]
    assert [level.keeps for level in found.levels] == [level.keeps for level in expected.levels]
    assert [level.capacity_words for level in found.levels] == [1, 256, 16384, None]
    assert found.levels[1].fanout["X"].width.text == "8"
    nest = parse_shorthand((back / "mapping.txt").read_text().strip(), found)
    assert torch.equal(nest.temporal, parse_shorthand(MAPPING, expected).temporal)
    assert "two" in (out / "README.md").read_text()
    assert (back / "layer.csv").read_text().endswith("1,1,16,1,64,8,1,1,1,1,1\n")


def test_exported_tables_hold_the_energies(run: Path, tmp_path: Path) -> None:
    main(["export", str(run), "--target", "timeloop", "--out", str(tmp_path)])
    energies, areas = read_ert(tmp_path / "ERT.yaml"), read_art(tmp_path / "ART.yaml")
    assert energies["MACC"] == {"mac_random": 0.5608}
    assert energies["DRAM"]["read"] == pytest.approx(6400)
    assert areas["Registers"] == pytest.approx(47.84e-6)


def test_an_exercise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "eyeriss.yaml").write_text(EXERCISE)
    assert main(["import", str(tmp_path / "eyeriss.yaml"), "--out", str(tmp_path / "x")]) == 0
    found = load_accelerator(str(tmp_path / "x" / "accelerator.yaml"))
    names = [level.name for level in found.levels]
    assert names == ["psum_spad", "ifmap_spad", "shared_glb", "DRAM"]
    assert [level.capacity_words for level in found.levels] == [16, 12, 65536, None]
    assert {axis: f.width.text for axis, f in found.levels[2].fanout.items()} == {
        "X": "14",
        "Y": "12",
    }
    assert "psum_spad: attribute update_fifo_depth=2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version: 0.4", "version: 0.5", "unknown architecture version '0.5'"),
        ("!Parallel", "!Pipelined", "unknown node '!Pipelined'"),
        ("depth: 16384", "depth: 12 * 34", "shared_glb: depth is '12 * 34'; legal: a number > 0"),
        ("meshX: 14", "meshX: 1.5", "PE: mesh is"),
        ("class: intmac", "class: adder", "found 0 arithmetic components"),
        ("architecture:", "arch:", "not a Timeloop architecture"),
        ("name: system", "name: '{{x}}'", "Jinja"),
    ],
)
def test_refused_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    (tmp_path / "a.yaml").write_text(EXERCISE.replace(old, new))
    assert main(["import", str(tmp_path / "a.yaml"), "--out", str(tmp_path / "x")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dialect", "0.5"], "unknown dialect '0.5'"),
        (["--accelerator", "gemini"], "unknown accelerator 'gemini'"),
        (["--accelerator", "simba"], "mapping"),
    ],
)
def test_export_refuses(
    run: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    out = str(run / "out")
    assert main(["export", str(run), "--target", "timeloop", "--out", out, *arguments]) == 2
    assert message in capsys.readouterr().err


def test_ert_names_match_the_published_form() -> None:
    path = GOLDEN / "simba" / "ERT.yaml"
    assert yaml.safe_load(path.read_text())["ERT"]["version"] == 0.3
    energies = read_ert(path)
    assert energies["AccumulationBuffer"]["read"] == 194.432
    assert energies["MACC"]["mac_random"] == 2.20035
