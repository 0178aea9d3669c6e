"""Digests of accelerators: equal in every process, different for every meaning."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from omegaconf import OmegaConf

import tilegrad
from tilegrad.accelerator import (
    ACCESSES,
    ENERGY_TABLES,
    Level,
    accelerator_digest,
    build_accelerator,
    load_accelerator,
    packaged_accelerators,
)
from tilegrad.accelerator.expression import Value
from tilegrad.errors import AcceleratorError
from tilegrad.paths import config_directory

SCRIPT = """
import sys
from tilegrad.accelerator import accelerator_digest, load_accelerator
for accelerator in map(load_accelerator, sys.argv[1:]):
    print(accelerator_digest(accelerator), accelerator)
"""


@pytest.mark.slow
def test_another_process_finds_the_same() -> None:
    """The repr, too, is an accelerator's identity in checkpoints."""
    loaded = {name: load_accelerator(name) for name in ("gemmini", "eyeriss")}
    here = [f"{accelerator_digest(each)} {each}" for each in loaded.values()]
    source = str(Path(tilegrad.__file__).parents[1])
    environment = os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": source}
    command = [sys.executable, "-c", SCRIPT, *loaded]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == here


def test_every_change_shows() -> None:
    gemmini = load_accelerator("gemmini")
    first, *others = gemmini.levels
    changed = [
        replace(gemmini, counting="timeloop"),
        replace(gemmini, energy=ENERGY_TABLES["accelergy"]()),
        replace(gemmini, parameters={}),
        replace(gemmini, levels=tuple(others)),
        replace(gemmini, levels=(replace(first, word_bits=first.word_bits * 2), *others)),
        replace(gemmini, levels=(replace(first, instances=first.block), *others)),
        *(load_accelerator(name) for name in packaged_accelerators()),
    ]
    digests = {accelerator_digest(accelerator) for accelerator in changed}
    assert len(digests) == len(changed)
    assert accelerator_digest(load_accelerator("gemmini")) in digests


def test_prose_does_not_show() -> None:
    gemmini = load_accelerator("gemmini")
    reworded = {name: replace(each, about="") for name, each in gemmini.parameters.items()}
    other = replace(gemmini, parameters=reworded)
    assert other != gemmini
    assert accelerator_digest(other) == accelerator_digest(gemmini)


class Scaled:
    """An energy table with a state, as a user may write one."""

    name = "scaled"

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def access_pj(self, level: Level, instance_kb: Value, block: Value) -> dict[str, Value]:  # noqa: ARG002
        return dict.fromkeys(ACCESSES, self.scale * level.word_bits)


def test_the_state_of_an_energy_table_shows() -> None:
    gemmini = load_accelerator("gemmini")
    digests = {accelerator_digest(replace(gemmini, energy=Scaled(scale))) for scale in (1.0, 2.0)}
    assert len(digests) == 2


def test_the_clock_is_for_people_alone() -> None:
    described = OmegaConf.load(config_directory() / "accelerator" / "gemmini.yaml").accelerator
    fields = {name: value for name, value in described.items() if name != "_target_"}
    plain = OmegaConf.to_container(OmegaConf.create(fields), resolve=True)
    clocks = [build_accelerator(**{**plain, "clock_mhz": clock}) for clock in (None, 500, 1000)]
    assert len({accelerator_digest(each) for each in clocks}) == 1
    assert [each.clock_mhz for each in clocks] == [None, 500.0, 1000.0]
    for wrong in (0, -1, "fast", float("inf")):
        with pytest.raises(AcceleratorError, match=r"clock_mhz is .*; legal: a finite number"):
            build_accelerator(**{**plain, "clock_mhz": wrong})
