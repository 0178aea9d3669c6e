"""Energies and areas as functions of size: the tools' figures, and what lies between them."""

from __future__ import annotations

from itertools import pairwise
from math import ceil, exp, log, log2
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers import describe
from tilegrad.accelerator import (
    Accelerator,
    Level,
    accelerator_digest,
    build_accelerator,
    load_accelerator,
)
from tilegrad.accelerator.expression import constant
from tilegrad.accelerator.figures import read_figures
from tilegrad.accelerator.sized import SizedTable
from tilegrad.errors import AcceleratorError

FILES = ("srams_40nm", "registers_40nm", "macs_40nm", "drams", "nodes")
SRAMS = {
    (int(row["ports"]), int(row["bytes"]), int(row["bits"])): tuple(
        float(row[name]) for name in ("read_pj", "write_pj", "area_mm2")
    )
    for row in read_figures("srams_40nm")
}
SIZES = [2**power for power in range(6, 24)]
WIDTHS = [2**power for power in range(3, 12)]

ports = st.sampled_from((1, 2))
sizes = st.floats(64, 2**23)
widths = st.sampled_from(WIDTHS)


def level(bits: int, **changes: Any) -> Level:
    """Return a level of words of ``bits`` that keeps something."""
    one = constant(1)
    given: dict[str, Any] = {"kind": "sram", "keeps": ("Weights",), **changes}
    return Level("Buffer", loops=(), word_bits=bits, instances=one, block=one, **given)


def figures(found: Level, size_bytes: Any, block: Any = 1.0) -> tuple[Any, Any, Any]:
    """Return the table's read and write energies of a word and the area of a level."""
    kb = size_bytes / 1024
    energy = SizedTable().access_pj(found, kb, block)
    assert energy["fills"] is energy["updates"]
    return energy["reads"], energy["fills"], SizedTable().area_mm2(found, kb, block)


def sized(**changes: Any) -> dict[str, Any]:
    """Return a description with a buffer of a free size."""
    keeps = ["Weights", "Inputs", "Outputs"]
    described = describe([keeps, keeps], "timeloop", energy="sram-40nm")
    described["arithmetic"] = {"bits": 8}
    described["parameters"] = {"kb": {"min": 1}}
    described["levels"][0] |= {"capacity_kb": "kb", "block": 4}
    described["levels"][1]["kind"] = "dram"
    return {**described, **changes}


def access(accelerator: Accelerator, index: int, kb: Any) -> dict[str, Any]:
    return accelerator.access_pj(accelerator.levels[index], {"kb": kb})


def test_the_grid_is_full() -> None:
    assert set(SRAMS) == {(p, size, width) for p in (1, 2) for size in SIZES for width in WIDTHS}


@pytest.mark.parametrize("ports", [1, 2])
def test_the_tools_figures_come_back_at_the_grid_points(ports: int) -> None:
    for size in SIZES:
        for width in WIDTHS:
            expected = SRAMS[ports, size, width]
            assert figures(level(width, ports=ports), float(size)) == pytest.approx(expected)
    size = torch.tensor(SIZES, dtype=torch.float64)
    read, write, area = figures(level(8, ports=ports), size)
    for row, found in zip(SIZES, zip(read, write, area, strict=True), strict=True):
        assert [float(f) for f in found] == pytest.approx(SRAMS[ports, row, 8])


@given(ports, sizes, widths)
def test_between_sizes_energies_are_straight_lines_in_logarithms(
    ports: int, size: float, width: int
) -> None:
    lower = min(2 ** int(log2(size)), SIZES[-2])
    part = log(size / lower) / log(2)
    low, high = SRAMS[ports, lower, width], SRAMS[ports, 2 * lower, width]
    expected = [exp((1 - part) * log(a) + part * log(b)) for a, b in zip(low, high, strict=True)]
    assert figures(level(width, ports=ports), size) == pytest.approx(tuple(expected))


@given(st.sampled_from(SIZES), st.integers(8, 2048))
def test_between_widths_too(size: int, width: int) -> None:
    lower = min(2 ** int(log2(width)), WIDTHS[-2])
    part = log(width / lower) / log(2)
    low, high = SRAMS[1, size, lower], SRAMS[1, size, 2 * lower]
    expected = [exp((1 - part) * log(a) + part * log(b)) for a, b in zip(low, high, strict=True)]
    assert figures(level(width), float(size)) == pytest.approx(tuple(expected))


@given(ports, widths, st.floats(1, 2**30), st.floats(1.001, 4))
def test_all_figures_grow_with_the_size(ports: int, width: int, size: float, by: float) -> None:
    smaller, larger = (figures(level(width, ports=ports), each) for each in (size, size * by))
    assert all(a < b for a, b in zip(smaller, larger, strict=True))


@given(widths, st.sampled_from(SIZES))
def test_a_second_port_costs(width: int, size: int) -> None:
    pairs = zip(SRAMS[1, size, width], SRAMS[2, size, width], strict=True)
    assert all(one < two for one, two in pairs)


@given(sizes, st.floats(8, 2048), st.sampled_from(("sram", "regfile")))
def test_gradients_are_finite_differences(size: float, width: float, kind: str) -> None:
    near = [abs(log2(value) - round(log2(value))) for value in (size, width, size * 8 / width)]
    if min(near) < 1e-3:  # at a grid point the lines of both sides meet
        return
    at, found = (size, width / 8), level(8, kind=kind)
    given = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    gradients = [
        torch.autograd.grad(f, given, retain_graph=True)[0] for f in figures(found, *given)
    ]
    for place, value in enumerate(at):
        step = [1e-6 * value * (place == axis) for axis in (0, 1)]
        above = figures(found, at[0] + step[0], at[1] + step[1])
        below = figures(found, at[0] - step[0], at[1] - step[1])
        for gradient, high, low in zip(gradients, above, below, strict=True):
            difference = (high - low) / (2 * step[place])
            near_zero = 1e-7 * high / value
            assert float(gradient[place]) == pytest.approx(difference, rel=1e-5, abs=near_zero)


def test_a_batch_is_one_by_one() -> None:
    source = torch.Generator().manual_seed(0)
    size = torch.exp(torch.rand(40, 1, generator=source, dtype=torch.float64) * 12 + 4)
    block = torch.tensor([1.0, 3.0, 16.0], dtype=torch.float64)
    together = figures(level(24), size, block)
    for row in range(40):
        for column in range(3):
            alone = figures(level(24), float(size[row]), float(block[column]))
            found = [float(figure[row, column]) for figure in together]
            assert found == pytest.approx(list(alone), rel=1e-12)


def test_a_word_costs_its_share_of_a_block_and_instances_share_accesses() -> None:
    wide, read, area = level(64), *(SRAMS[1, 4096, 64][i] for i in (0, 2))
    assert figures(level(8), 4096.0, 8.0)[0] == pytest.approx(read / 8)
    assert figures(level(8, cluster=8), 4096.0)[::2] == pytest.approx((read, area))
    described = sized()
    described["levels"][1]["fanout"] = {"X": {"dims": ["C"], "width": 8}}
    described["levels"][0] |= {"cluster": 8, "block": 1, "instances": 8, "capacity_words": 512}
    del described["levels"][0]["capacity_kb"]
    accelerator = build_accelerator(**described)
    (buffer, _) = accelerator.levels
    assert accelerator.access_pj(buffer, {})["reads"] == pytest.approx(figures(wide, 4096.0)[0])
    assert accelerator.area_mm2(buffer, {}) == pytest.approx(area / 8)


def test_registers_are_words_of_flip_flops_with_comparators() -> None:
    """Aladdin's: 0.009 pJ and 5.98 um2 a bit; a 32 bit comparator 0.029015 pJ and 70 um2."""
    for words in (1, 2, 16, 512):
        address = ceil(log2(words)) / 32
        read = 16 * 0.009 + words * address * 0.029015
        area = words * (16 * 5.98 + address * 70) * 1e-6
        found = figures(level(16, kind="regfile"), words * 2.0)
        assert found == pytest.approx((read, read, area), rel=1e-5)


@pytest.mark.parametrize(("name", "near"), [("psum_spad", 1e-6), ("weights_spad", 0.1)])
def test_registers_are_those_of_the_packaged_eyeriss(name: str, near: float) -> None:
    """Accelergy's own ERT: of 16 words exactly, of 192 between 128 and 256."""
    found = next(each for each in load_accelerator("eyeriss").levels if each.name == name)
    assert found.block_pj is not None
    assert found.capacity_words is not None
    (read, _, _) = figures(found, found.capacity_words * 2.0)
    assert read == pytest.approx(found.block_pj["read"], rel=near)


@pytest.mark.parametrize(("bits", "pj", "um2"), [(8, 0.5608, 332.25), (16, 2.20035, 1239.5)])
def test_macs_are_those_of_the_packaged_accelerators(bits: int, pj: float, um2: float) -> None:
    """Accelergy's own ERTs and ARTs of Gemmini (8 bits) and Simba (16)."""
    unit = build_accelerator(**sized(arithmetic={"bits": bits})).arithmetic
    assert (unit.energy_pj, unit.area_mm2) == pytest.approx((pj, um2 * 1e-6))


def test_figures_of_ones_own_stand() -> None:
    described = sized(arithmetic={"bits": 8, "energy_pj": 3})
    described["levels"][0] |= {"area_mm2": "kb * 2"}
    accelerator = build_accelerator(**described)
    assert accelerator.arithmetic.energy_pj == 3
    assert accelerator.arithmetic.area_mm2 == pytest.approx(332.25e-6)
    assert accelerator.area_mm2(accelerator.levels[0], {"kb": 8.0}) == 16


def test_dram_costs_by_kind_whatever_the_node() -> None:
    for kind, pj in (("LPDDR4", 8), ("HBM2", 3.9), ("GDDR5", 14), ("DDR3", 70)):
        table = {"table": "sram-40nm", "dram": kind, "node": "7nm"}
        accelerator = build_accelerator(**sized(energy=table))
        assert access(accelerator, 1, 1.0) == dict.fromkeys(("reads", "fills", "updates"), 8 * pj)
        assert accelerator.area_mm2(accelerator.levels[1], {"kb": 1.0}) is None


def test_nodes_scale_memories_and_macs_alike() -> None:
    at40, at7 = (
        build_accelerator(**sized(energy={"table": "sram-40nm", "node": node}))
        for node in ("40nm", "7nm")
    )
    energy = at7.arithmetic.energy_pj / at40.arithmetic.energy_pj
    area = at7.arithmetic.area_mm2 / at40.arithmetic.area_mm2
    for kb in (1.0, 100.0):
        pairs = zip(access(at7, 0, kb).values(), access(at40, 0, kb).values(), strict=True)
        assert all(new / old == pytest.approx(energy) for new, old in pairs)
        old, new = (each.area_mm2(each.levels[0], {"kb": kb}) for each in (at40, at7))
        assert new == pytest.approx(old * area)
    assert 0 < energy < 0.2
    assert 0 < area < 0.1


def test_options_are_part_of_what_an_accelerator_is() -> None:
    tables = ["sram-40nm", {"table": "sram-40nm", "node": "40nm", "dram": "LPDDR4"}]
    others = [{"table": "sram-40nm", "node": "7nm"}, {"table": "sram-40nm", "dram": "HBM2"}]
    digests = [accelerator_digest(build_accelerator(**sized(energy=t))) for t in tables + others]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"energy": {"table": "sram-40nm", "node": "5nm"}}, ["node is '5nm'", "nearest: 7nm"]),
        ({"energy": {"table": "sram-40nm", "node": "40"}}, ["node is '40'", "nearest: 40nm"]),
        ({"energy": {"table": "sram-40nm", "node": "fine"}}, ["node is 'fine'", "legal: 180nm"]),
        ({"energy": {"table": "sram-40nm", "dram": "HBM3"}}, ["dram 'HBM3'", "nearest: HBM2"]),
        ({"energy": {"table": "pat", "node": "7nm"}}, ["unknown field 'node'", "legal: table"]),
        ({"arithmetic": {"bits": 65}}, ["arithmetic: bits is 65", "legal: 1 to 64"]),
        ({"arithmetic": {}}, ["arithmetic: field 'energy_pj' is missing"]),
        ({"arithmetic": {"energypj": 1}}, ["'energy_pj' is missing", "the unknown 'energypj'"]),
        ({"energy": "pat"}, ["arithmetic: bits is 8", "pat has no MAC units", "legal: energy_pj"]),
    ],
)
def test_wrong_options_are_refused_by_name(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(AcceleratorError) as caught:
        build_accelerator(**sized(**changes))
    assert not [word for word in words if word not in str(caught.value)]


def test_a_level_without_size_and_a_third_port_are_refused() -> None:
    described = sized()
    described["levels"][0]["ports"] = 3
    with pytest.raises(AcceleratorError, match=r"levels\[0\]: ports is 3; legal: 1 or 2"):
        build_accelerator(**described)
    described = sized()
    del described["levels"][0]["capacity_kb"]
    with pytest.raises(AcceleratorError, match=r"'level0' has no size.*legal: capacity_kb"):
        build_accelerator(**described)


def test_what_lies_beyond_the_grid_is_said_and_goes_on_growing() -> None:
    accelerator = build_accelerator(**sized())
    assert accelerator.beyond_tables({"kb": 8192.0}) == []
    (said,) = accelerator.beyond_tables({"kb": 16384.0})
    assert (
        "level0 (16384 KB) lies beyond what table sram-40nm was made for (64 to 8.38861e+06" in said
    )
    energies = [access(accelerator, 0, kb)["reads"] for kb in (4096.0, 8192.0, 16384.0, 32768.0)]
    steps = [b / a for a, b in pairwise(energies)]
    assert steps == pytest.approx([steps[0]] * 3)


@pytest.mark.parametrize("name", FILES)
def test_every_file_says_where_its_figures_are_from(name: str) -> None:
    from importlib.resources import files

    text = (files("tilegrad.accelerator.figures") / f"{name}.csv").read_text(encoding="utf-8")
    said = [line for line in text.splitlines() if line.startswith("#")]
    assert any(word in " ".join(said) for word in ("accelergy-", "doi "))
    assert len(text.splitlines()) > len(said) + 2
