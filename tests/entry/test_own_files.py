"""Options in files of one's own, on every command; the tutorial, typed as printed."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.entry.conftest import SCRIPT, SMALL
from tests.helpers_scripts import Command, Script
from tilegrad.entry import plain_overrides

TUTORIAL = SCRIPT.parent / "docs" / "own_accelerator.md"

RANDOM = "_target_: tilegrad.search.RandomStrategy\ndesigns: 20\n"

RUN = ("workload=small.csv", "progress=false", "report=false", "dir=run")


def printed() -> list[str]:
    """Return the shell blocks of the tutorial."""
    return re.findall(r"^```sh\n(.*?)^```$", TUTORIAL.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def chip(directory: Path) -> Path:
    """Write the tutorial's accelerator."""
    subprocess.run(["sh", "-c", printed()[0]], check=True)
    return directory / "two_level.yaml"


def hardware(directory: Path) -> dict[str, float]:
    return dict(json.loads((directory / "run" / "result.json").read_text())["hardware"])


def test_sizes_of_an_own_accelerator_are_free(command: Command, chip: Path) -> None:
    assert command("accelerator=two_level.yaml", *RUN, *SMALL).code == 0
    assert set(hardware(chip.parent)) == {"pes", "buffer_kb"}


def test_sizes_of_an_own_accelerator_are_fixed_and_limited(command: Command, chip: Path) -> None:
    chip.write_text(chip.read_text() + "hardware: {pes: 4}\ncaps: {buffer_kb: 64}\n")
    fixed = ("hardware.buffer_kb=8", "accelerator.levels.1.word_bits=8")
    assert command(f"accelerator={chip}", *RUN, *SMALL, *fixed).code == 0
    assert hardware(chip.parent) == {"pes": 4, "buffer_kb": 8}


def test_a_file_named_like_a_packaged_option_is_the_file(command: Command, chip: Path) -> None:
    chip.rename("gemmini.yaml")
    assert command("accelerator=gemmini.yaml", *RUN, *SMALL).code == 0
    assert set(hardware(chip.parent)) == {"pes", "buffer_kb"}


def test_a_sweep_over_a_file_and_a_packaged_option(command: Command, chip: Path) -> None:
    (chip.parent / "few.yaml").write_text(RANDOM)
    swept = ("-m", "accelerator=two_level.yaml,gemmini", "strategy=few.yaml")
    ended = command(*swept, *RUN[:3], "hydra.sweep.dir=sweep")
    assert ended.code == 0
    found = [json.loads((Path("sweep") / job / "result.json").read_text()) for job in "01"]
    assert [result["accelerator"] for result in found] == ["two_level", "gemmini"]
    assert [result["strategy"] for result in found] == ["random", "random"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("kind: sram", "kind: sramm", ("accelerator two_level.levels[0]", "nearest: sram")),
        ("accelerator:", "accellerator:", ("key 'accelerator'",)),
        ("accelerator:", "cap: {}\naccelerator:", ("unknown field 'cap'", "nearest: caps")),
        ("accelerator:", "caps: {pe: 3}\naccelerator:", ("caps", "'pe'", "nearest: pes")),
        ("accelerator:", "accelerator: {", ("YAML",)),
    ],
)
def test_a_malformed_accelerator_is_refused_by_file_and_field(
    old: str, new: str, words: tuple[str, ...], command: Command, chip: Path
) -> None:
    chip.write_text(chip.read_text().replace(old, new, 1))
    ended = command("accelerator=two_level.yaml", *RUN)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    for word in ("two_level.yaml", *words):
        assert word in ended.err


@pytest.mark.parametrize(
    ("argument", "text", "words"),
    [
        ("strategy=own.yaml", None, ("own.yaml", "no such file")),
        ("strategy=own.yaml", "- 1\n", ("own.yaml", "no fields")),
        ("strategy=own.yaml", "designs: 3\n", ("own.yaml", "_target_")),
        ("strategy=own.yaml", "defaults: [random]\n", ("own.yaml", "--config-dir")),
        ("strategy=own.yaml", RANDOM + "sed: 3\n", ("own.yaml", "unknown field 'sed'")),
        ("strategy=own.yaml", RANDOM.replace("20", "0"), ("strategy.designs", "0")),
        ("target=own.yaml", "_target_: tilegrad.Nope\n", ("tilegrad.Nope",)),
    ],
)
def test_a_malformed_option_is_refused_by_file(
    argument: str, text: str | None, words: tuple[str, ...], command: Command, directory: Path
) -> None:
    if text is not None:
        (directory / "own.yaml").write_text(text)
    ended = command(argument, *RUN)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    for word in words:
        assert word in ended.err


def test_a_model_of_ones_own(script: Script, directory: Path) -> None:
    made = "data.source={_target_:tests.helpers_schedules.MadeSchedules}"
    linear = "_target_: tilegrad.predictors.Linear\n_partial_: true\nridge: 1e-3\n"
    (directory / "own.yaml").write_text(linear)
    plain = ("importances=false", "plots=false", "progress=false", "split.count=2", "dir=run")
    ended = script("train", "model=own.yaml", "data=default", made, *plain)
    assert (ended.code, ended.err) == (0, "")
    assert (directory / "run" / "model.ckpt").is_file()


def test_options_that_are_no_files_stay_as_they_are() -> None:
    given = ["accelerator=simba", "strategy=random", "experiment=rtl/base", "model=absent/one"]
    assert plain_overrides(given) == given


BRIEF = {
    "search": SMALL[:3],
    "compare": (f"overrides={list(SMALL[:3])}",),
}
"""What makes a printed search brief, unless it names a strategy that is."""


@pytest.mark.slow
def test_the_tutorial_as_printed(script: Script, directory: Path) -> None:
    """Its blocks in a shell; each ``tilegrad`` there is told, and run here by a brief search."""
    told, program = directory / "told", directory / "bin" / "tilegrad"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\037" "$@" >> {told}\necho >> {told}\n')
    program.chmod(0o755)
    path = {"PATH": os.pathsep.join((str(program.parent), os.environ["PATH"]))}
    for block in printed():
        told.write_text("")
        subprocess.run(["bash", "-e", "-c", block], env=os.environ | path, check=True)
        for line in told.read_text().splitlines():
            name, *arguments = line.split("\037")[:-1]
            brief = () if any(given.startswith("strategy=") for given in arguments) else BRIEF[name]
            ended = script(name, *arguments, *brief)
            assert ended.code == 0, ended.err
    for run in ("free", "fixed", "small", "wide", "random", "again", "compared"):
        assert any((directory / run).glob("*.*")), run
    assert json.loads((directory / "fixed" / "result.json").read_text())["hardware"]["pes"] == 32
