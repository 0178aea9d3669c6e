"""Accelergy's tables that say a thing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tilegrad.accelerator.accelergy import read_art, read_ert
from tilegrad.errors import AcceleratorError
from tilegrad.targets.timeloop.tagged import read_yaml

AREAS = "ART:\n  tables:\n  - {{name: System.A.Buffer, area: 5.0{more}}}\n"
OTHER = "  - {{name: System.B.Buffer, area: {area}}}\n"


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "art.yaml").write_text(AREAS.format(more=", area: 700.0"))
    for read in (read_art, read_yaml):
        with pytest.raises(AcceleratorError, match=r"art\.yaml.*key 'area' is given twice"):
            read(tmp_path / "art.yaml")


def test_keys_that_are_merged_may_be_given_again(tmp_path: Path) -> None:
    text = "a: &a {x: 1}\nb: &b {<<: *a, x: 2}\nc: {<<: *b, y: !Own {x: 3}}\n"
    (tmp_path / "merged.yaml").write_text(text)
    found = read_yaml(tmp_path / "merged.yaml")
    assert isinstance(found, dict)
    assert found["c"]["x"] == 2


def test_one_component_has_one_area(tmp_path: Path) -> None:
    place = tmp_path / "art.yaml"
    place.write_text(AREAS.format(more="") + OTHER.format(area=5.0))
    assert read_art(place) == {"Buffer": pytest.approx(5e-6)}
    place.write_text(AREAS.format(more="") + OTHER.format(area=700.0))
    with pytest.raises(AcceleratorError, match=r"System\.B\.Buffer differs from .* 'Buffer'"):
        read_art(place)


def test_one_component_has_one_energy_of_an_action(tmp_path: Path) -> None:
    entry = "  - {{name: System.{name}, actions: [{{name: read, energy: {energy}}}]}}\n"
    first, other = (
        entry.format(name=name, energy=energy) for name, energy in (("A.Buffer", 1), ("Buffer", 9))
    )
    (tmp_path / "ert.yaml").write_text(f"ERT:\n  tables:\n{first}{other}")
    with pytest.raises(AcceleratorError, match=r"System\.Buffer differs from"):
        read_ert(tmp_path / "ert.yaml")
