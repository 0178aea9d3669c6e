"""Accelerator descriptions: the packaged one, and every malformed one refused by name."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from math import prod
from pathlib import Path
from typing import Any

import pytest
import yaml

from tilegrad.accelerator import build_accelerator, load_accelerator, packaged_accelerators
from tilegrad.errors import AcceleratorError
from tilegrad.paths import config_directory
from tilegrad.shape import ROLES
from tilegrad.shape.conv import DIMS, C, K, P

Change = Callable[[dict[str, Any]], object]


def gemmini() -> dict[str, Any]:
    """Return the packaged description, to be spoiled."""
    text = (config_directory() / "accelerator" / "gemmini.yaml").read_text(encoding="utf-8")
    described: dict[str, Any] = yaml.safe_load(text)["accelerator"]
    del described["_target_"]
    return described


def put(path: str, value: object) -> Change:
    """Return a change that sets the field at a dotted path (numbers index lists)."""

    def change(described: Any) -> None:
        *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
        for key in parents:
            described = described[key]
        described[last] = value

    return change


def drop(path: str) -> Change:
    """Return a change that removes the field at a dotted path."""
    *parents, last = path.split(".")

    def change(described: Any) -> None:
        for key in parents:
            described = described[int(key) if key.isdigit() else key]
        del described[last]

    return change


MALFORMED: dict[str, tuple[Change, tuple[str, ...]]] = {
    "unknown key": (put("colour", "red"), ("'colour'", "legal", "counting")),
    "misspelt key": (put("energies", "pat"), ("'energies'", "nearest: energy")),
    "unknown key of a level": (put("levels.2.bandwith", {}), ("levels[2]", "nearest: bandwidth")),
    "unknown key of a parameter": (put("parameters.pe_dim.max", 9), ("pe_dim", "'max'", "min")),
    "unknown key of a fanout": (put("levels.1.fanout.X.hop", 1), ("fanout.X", "'hop'", "width")),
    "unknown key of arithmetic": (put("arithmetic.pj", 1), ("arithmetic", "'pj'", "energy_pj")),
    "unknown key of table": (put("table.rows", {}), ("table", "'rows'", "columns")),
    "no name": (drop("name"), ("'name'", "missing")),
    "name is a number": (put("name", 7), ("name", "7", "text")),
    "no levels": (drop("levels"), ("'levels'", "missing")),
    "levels is text": (put("levels", "DRAM"), ("levels", "'DRAM'", "a list")),
    "level is text": (put("levels.0", "Registers"), ("levels[0]", "'Registers'", "fields")),
    "parameters is a list": (put("parameters", ["pe_dim"]), ("parameters", "pe_dim", "fields")),
    "one level": (lambda d: d.update(levels=d["levels"][3:]), ("at least two levels", "got 1")),
    "no arithmetic": (drop("arithmetic"), ("'arithmetic'", "missing")),
    "no energy of a MAC": (drop("arithmetic.energy_pj"), ("energy_pj", "missing")),
    "NaN energy": (put("arithmetic.energy_pj", float("nan")), ("energy_pj", "nan", "finite")),
    "infinite energy": (put("arithmetic.energy_pj", float("inf")), ("energy_pj", "inf", "finite")),
    "negative energy": (put("arithmetic.energy_pj", -0.5), ("energy_pj", "-0.5", ">= 0")),
    "energy is text": (put("arithmetic.energy_pj", "low"), ("energy_pj", "'low'", "number")),
    "energy is true": (put("arithmetic.energy_pj", True), ("energy_pj", "True", "number")),
    "negative area": (put("arithmetic.area_mm2", -1), ("area_mm2", "-1", ">= 0")),
    "negative minimum": (put("parameters.pe_dim.min", -2), ("pe_dim", "min", "-2", ">= 0")),
    "unknown counting": (put("counting", "timelop"), ("counting", "'timelop'", "timeloop-2022")),
    "unknown energy table": (put("energy", "cacti"), ("energy", "'cacti'", "legal: pat")),
    "unhashable counting": (put("counting", ["timeloop"]), ("counting", "timeloop-2022")),
    "unknown kind": (put("levels.2.kind", "ram"), ("levels[2]", "'ram'", "sram", "dram")),
    "unknown tensor": (put("levels.2.keeps", ["Weight"]), ("'Weight'", *ROLES)),
    "tensors as text": (
        put("levels.2.keeps", "Weights"),
        ("keeps", "'Weights'", "a list or 'all'"),
    ),
    "a tensor twice": (put("levels.2.keeps", ["Inputs"] * 2), ("keeps", "distinct")),
    "no tensors": (drop("levels.2.keeps"), ("'keeps'", "missing")),
    "unknown dim": (put("levels.1.loops", ["X"]), ("loops", "'X'", *DIMS)),
    "unknown spatial dim": (put("levels.1.fanout.X.dims", ["M"]), ("fanout.X", "'M'", *DIMS)),
    "unknown axis": (put("levels.1.fanout.Z", {}), ("fanout", "'Z'", "X, Y")),
    "no width": (drop("levels.1.fanout.X.width"), ("fanout.X", "'width'", "missing")),
    "unknown port": (put("levels.3.bandwidth", {"both": 8}), ("bandwidth", "'both'", "shared")),
    "word of no bits": (put("levels.0.word_bits", 0), ("word_bits", "0", "integer >= 1")),
    "fraction of a bit": (put("levels.0.word_bits", 8.5), ("word_bits", "8.5", "integer >= 1")),
    "no word bits": (drop("levels.0.word_bits"), ("'word_bits'", "missing")),
    "capacity of 0 words": (put("levels.0.capacity_words", 0), ("capacity_words", "0", ">= 1")),
    "two capacities": (
        put("levels.0.capacity_kb", 1),
        ("capacity_kb", "capacity_words", "not both"),
    ),
    "unknown parameter": (put("levels.2.capacity_kb", "spad"), ("'spad'", "scratchpad_kb")),
    "a call": (
        put("levels.1.instances", "max(pe_dim, 2)"),
        ("instances", "'max(pe_dim, 2)'", "legal"),
    ),
    "an attribute": (put("levels.1.instances", "pe_dim.real"), ("'pe_dim.real'", "finite numbers")),
    "an index": (put("levels.1.instances", "pe_dim[0]"), ("'pe_dim[0]'", "finite numbers")),
    "a comparison": (put("levels.1.instances", "pe_dim > 1"), ("'pe_dim > 1'", "finite numbers")),
    "text constant": (put("levels.1.instances", "'2' * pe_dim"), ("instances", "finite numbers")),
    "not an expression": (put("levels.1.instances", "2 *"), ("'2 *'", "arithmetic expression")),
    "a division by zero": (put("levels.1.block", "1 / 0"), ("block", "'1 / 0'", "finite")),
    "an endless bandwidth": (
        put("levels.3.bandwidth.shared", "1e400"),
        ("shared", "finite numbers"),
    ),
    "an infinite bandwidth": (put("levels.3.bandwidth.shared", float("inf")), ("shared", "'inf'")),
    "no bandwidth": (put("levels.3.bandwidth.shared", 0), ("bandwidth.shared", "'0'", "> 0")),
    "no instances": (put("levels.1.instances", "2 - 2"), ("instances", "'2 - 2' is 0", "make 7")),
    "instances beside a mesh": (
        put("levels.0.instances", 7),
        ("levels[0].instances", "'7' is 7 at pe_dim 7", "make 49", "legal: pe_dim * pe_dim, or no"),
    ),
    "instances of a wrong power": (
        put("levels.0.instances", "2 * pe_dim"),
        ("levels[0].instances", "'2 * pe_dim' is 14 at pe_dim 7", "make 49"),
    ),
    "instances outside all meshes": (
        put("levels.3.instances", 2),
        ("levels[3].instances", "'2' is 2, but", "make 1", "legal: 1"),
    ),
    "a cluster larger than its level": (put("levels.3.cluster", 2), ("cluster is 2", "is 1")),
    "a cluster of varying instances": (put("levels.0.cluster", 4), ("cluster is 4", "pe_dim ** 2")),
    "buffers of all instances together": (
        put("levels.2.buffers", 2),
        ("levels[2]", "buffers is 2", "capacity_words"),
    ),
    "nothing kept": (put("levels.2.capacity_kb", 0), ("capacity_kb", "'0' is 0", "> 0")),
    "a mesh and a half": (
        put("levels.1.fanout.X.width", 1.5),
        ("levels[1].fanout.X.width", "'1.5'", "a whole number"),
    ),
    "parameter that no expression can name": (
        put("parameters", {"pe-dim": {}}),
        ("parameters: 'pe-dim'", "legal: letters, digits and _"),
    ),
    "parameter that is a cap": (put("parameters.area_mm2", {}), ("'area_mm2'", "caps.area_mm2")),
    "blocks of no words": (put("levels.1.block", 0), ("block", "'0'", "> 0")),
    "a mesh of no width": (put("levels.1.fanout.X.width", 0), ("width", "'0'", "> 0")),
    "a negative capacity": (
        put("levels.2.capacity_kb", "1 - 2"),
        ("capacity_kb", "'1 - 2'", ">= 0"),
    ),
    "expression is a list": (put("levels.1.block", [1]), ("block", "[1]", "an expression")),
    "expression is true": (put("levels.1.block", True), ("block", "True", "an expression")),
    "unknown access": (put("levels.0.access_pj", {"read": 1}), ("access_pj", "'read'", "reads")),
    "access missing": (put("levels.0.access_pj", {"reads": 1}), ("access_pj", "fills", "updates")),
    "a level twice": (put("levels.2.name", "Accumulator"), ("'Accumulator'", "twice")),
    "outermost lacks a tensor": (
        put("levels.3.keeps", ["Inputs", "Weights"]),
        ("'DRAM'", "Outputs"),
    ),
    "outermost lacks a loop": (put("levels.3.loops", ["P"]), ("'DRAM'", "every dim", *DIMS)),
    "table column is a number": (put("table.columns.mesh", 3), ("columns", "mesh", "3", "text")),
    "table of an unknown parameter": (put("table.parameters.pe", "mesh"), ("'pe'", "pe_dim")),
    "table of an unknown column": (put("table.parameters.pe_dim", "width"), ("'width'", "mesh")),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_descriptions_are_refused_by_name(case: str) -> None:
    change, words = MALFORMED[case]
    described = deepcopy(gemmini())
    change(described)
    with pytest.raises(AcceleratorError) as caught:
        build_accelerator(**described)
    message = str(caught.value)
    assert "\n" not in message
    assert not [word for word in words if word not in message], message


@pytest.mark.parametrize("name", packaged_accelerators())
def test_packaged_accelerators_load(name: str) -> None:
    assert load_accelerator(name).name == name


@pytest.mark.parametrize("name", packaged_accelerators())
def test_packaged_instances_follow_from_the_fanouts(name: str) -> None:
    accelerator = load_accelerator(name)
    for size in (3.0, 128.0):
        sizes = dict.fromkeys(accelerator.parameters, size)
        instances = 1.0
        for level in reversed(accelerator.levels):
            assert level.instances(sizes) == instances
            instances *= prod(float(fanout.width(sizes)) for fanout in level.fanout.values())


def test_instances_that_are_not_given_follow_from_the_fanouts() -> None:
    described = deepcopy(gemmini())
    for level in described["levels"]:
        level.pop("instances", None)
    described["levels"][2]["fanout"]["X"]["width"] = "2 * pe_dim"
    levels = build_accelerator(**described).levels
    assert [level.instances.text for level in levels] == [
        "pe_dim * (2 * pe_dim)",
        "(2 * pe_dim)",
        "1",
        "1",
    ]
    assert levels[0].instances({"pe_dim": 3.0}) == 18


def test_fields_arrive_where_they_belong() -> None:
    accelerator = load_accelerator("gemmini")
    registers, accumulator, scratchpad, dram = accelerator.levels
    hardware = {"pe_dim": 16.0, "scratchpad_kb": 128.0, "accumulator_kb": 32.0}
    assert accelerator.counting == "timeloop-2022"
    assert (registers.keeps, registers.loops, registers.capacity_words) == (("Weights",), (P,), 1)
    assert accumulator.fanout["X"].dims == (C,)
    assert scratchpad.fanout["X"].dims == (K,)
    assert (dram.keeps, dram.loops) == (ROLES, tuple(range(7)))
    assert registers.instances(hardware) == 256
    assert scratchpad.bandwidth["shared"](hardware) == 32
    assert [level.bytes_per_word for level in accelerator.levels] == [1, 4, 1, 1]
    assert [accelerator.instance_kb(level, hardware) for level in accelerator.levels[1:3]] == [
        2,
        128,
    ]
    assert accelerator.plan().meshes == ("pe_dim",)
    assert accelerator.plan().sizes == ("accumulator_kb", "scratchpad_kb")
    assert [accelerator.kept_below(3, tensor) for tensor in ROLES] == [2, 2, 1]
    assert [accelerator.kept_below(level, "Weights") for level in (2, 0)] == [0, -1]


def test_a_file_is_loaded_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"accelerator": gemmini()}), encoding="utf-8")
    found, packaged = load_accelerator(str(path)), load_accelerator("gemmini")
    assert [level.name for level in found.levels] == [level.name for level in packaged.levels]
    assert found.parameters == packaged.parameters


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ("cannot be read",)),
        ("levels: [", ("cannot be read as YAML",)),
        ("- 1", ("'accelerator'",)),
        ("accelerator: 3", ("'accelerator'",)),
        ("accelerator: {name: a}", ("accelerator a", "'counting'", "missing")),
    ],
)
def test_unreadable_files_are_refused(tmp_path: Path, text: str | None, words: tuple[str]) -> None:
    path = tmp_path / "mine.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(AcceleratorError) as caught:
        load_accelerator(str(path))
    assert not [word for word in words if word not in str(caught.value)]


def test_unknown_names_list_the_packaged_ones() -> None:
    with pytest.raises(AcceleratorError, match=r"unknown accelerator 'gemini'.*nearest: gemmini"):
        load_accelerator("gemini")
