"""Every count of the analysis against real Timeloop runs: four accelerators, two versions."""

from __future__ import annotations

import pytest

from tests.helpers_golden import ARCHITECTURES, COUNTING, load_golden
from tilegrad.nest import analyse

LINK_TRANSFERS = {
    ("simba/conv3x3_s1/06", "InputBuffer", "Inputs", "reads"),
    ("simba/conv3x3_s1/06", "GlobalBuffer", "Inputs", "reads"),
}
"""The one run in which neighbours pass Inputs to each other, at both its levels."""


@pytest.mark.parametrize("version", COUNTING)
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_counts_are_timeloops(arch: str, version: str) -> None:
    golden = load_golden(arch, version)
    nest = analyse(golden.mapping, golden.strides, golden.accelerator)
    rows = range(len(golden.table))
    wrong, compared = set(), 0
    for index, level in enumerate(golden.accelerator.levels):
        for tensor, accesses in nest.accesses[index].items():
            found = {
                "utilized_capacity": accesses.tile,
                "utilized_instances": nest.instances[index],
                "reads": accesses.reads,
                "fills": accesses.fills,
                "updates": accesses.updates,
            }
            for field, words in found.items():
                for row, count in zip(rows, words.expand(len(rows)).tolist(), strict=True):
                    compared += 1
                    if count != golden.recorded[row][level.name]["tensors"][tensor][field]:
                        wrong.add((golden.table.mapping_id[row], level.name, tensor, field))
    assert wrong == (LINK_TRANSFERS if arch == "simba" else set())
    assert compared == 5 * 84 * sum(len(level.keeps) for level in golden.accelerator.levels)


@pytest.mark.parametrize("version", COUNTING)
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_operations_are_timeloops(arch: str, version: str) -> None:
    golden = load_golden(arch, version)
    nest = analyse(golden.mapping, golden.strides, golden.accelerator)
    assert nest.macs.tolist() == golden.table.computes.tolist()
