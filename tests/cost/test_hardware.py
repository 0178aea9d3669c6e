"""Hardware inferred from mappings against a loop over designs and layers."""

from __future__ import annotations

from math import ceil

import pytest
import torch
from hypothesis import given, settings

from tests.helpers import gemmini, generator, integer_mappings, random_strides, seeds
from tilegrad.cost import area_mm2, infer_hardware
from tilegrad.cost.capacity import find_overflows, fits
from tilegrad.cost.footprint import footprint
from tilegrad.cost.hardware import Hardware, least_hardware
from tilegrad.nest import Nest, analyse

DESIGNS, LAYERS = 4, 3
NAMES = ("pe_dim", "scratchpad_kb", "accumulator_kb")


def random_network(seed: int) -> Nest:
    """Return the nests of designs of a network, ``[design, layer]``."""
    source = generator(seed)
    rows = integer_mappings(gemmini(), DESIGNS * LAYERS, source)
    mapping = rows.each(lambda tensor: tensor.unflatten(0, (DESIGNS, LAYERS)))
    return analyse(mapping, random_strides(LAYERS, source), gemmini())


def needs(nest: Nest, design: int, fixed: dict[str, float]) -> dict[str, float]:
    """Return the smallest whole hardware, layer by layer in Python."""
    pe, scratchpad, column = 2.0, 0.0, 0.0
    for layer in range(LAYERS):
        at = (design, layer)
        pe = max(
            pe, *(nest.spatial[level][0].expand(DESIGNS, LAYERS)[at].item() for level in (1, 2))
        )
        tiles = [nest.accesses[2][tensor].tile[at].item() for tensor in ("Weights", "Inputs")]
        scratchpad = max(scratchpad, sum(tiles) / 1024)
        column = max(column, nest.accesses[1]["Outputs"].tile[at].item() * 4 / 1024)
    pe = fixed.get("pe_dim", pe)
    sizes = {"pe_dim": pe, "scratchpad_kb": scratchpad, "accumulator_kb": column * pe}
    return {name: fixed.get(name, max(1, ceil(size))) for name, size in sizes.items()}


@pytest.mark.parametrize(
    "fixed", [{}, {"pe_dim": 16.0}, {"scratchpad_kb": 3.5}, dict.fromkeys(NAMES, 7.0)]
)
@settings(deadline=None, max_examples=15)
@given(seed=seeds)
def test_inferred_is_the_largest_need_of_all_layers(fixed: dict[str, float], seed: int) -> None:
    nest = random_network(seed)
    hardware = infer_hardware(gemmini(), nest, fixed)
    for design in range(DESIGNS):
        found = {name: hardware[name].expand(DESIGNS)[design].item() for name in NAMES}
        assert found == needs(nest, design, fixed)


@settings(deadline=None, max_examples=15)
@given(seed=seeds)
def test_inferred_hardware_fits_and_nothing_smaller_does(seed: int) -> None:
    nest = random_network(seed)
    hardware = infer_hardware(gemmini(), nest, {})
    assert fits(nest, gemmini(), spread(hardware)).all()
    for name in NAMES:
        smaller = {**hardware, name: hardware[name] - 1}
        spare = hardware[name] <= gemmini().parameters[name].minimum
        if name == "pe_dim":  # The accumulator shrinks with its columns.
            smaller["accumulator_kb"] = hardware["accumulator_kb"] * 2
        fitting = fits(nest, gemmini(), spread(smaller)).all(-1)
        assert not (fitting & ~spare).any()


@settings(deadline=None, max_examples=15)
@given(seed=seeds)
def test_footprints_need_the_same_hardware(seed: int) -> None:
    nest = random_network(seed)
    sums = footprint(nest, gemmini())
    found = least_hardware(gemmini(), sums.needs.amax(-2).unbind(-1), {}, False).hardware
    expected = infer_hardware(gemmini(), nest, {}, exact=False)
    assert all(torch.equal(found[name], expected[name]) for name in NAMES)


def test_overflow_names_level_need_and_excess() -> None:
    nest = analyse(integer_mappings(gemmini(), 6, generator(1)), torch.ones(6, 4), gemmini())
    hardware = {"pe_dim": 1.0, "scratchpad_kb": 0.25, "accumulator_kb": 1e9}
    found = find_overflows(nest, gemmini(), hardware)
    assert set(found) == set((~fits(nest, gemmini(), hardware)).nonzero().flatten().tolist())
    for row, overflows in found.items():
        for overflow in overflows:
            assert overflow.need > overflow.have
            assert overflow.level in str(overflow)
            if overflow.what == "KB":
                assert sum(overflow.parts.values()) == pytest.approx(overflow.need)
                tiles = nest.accesses[2].values()
                assert overflow.need == sum(kept.tile[row].item() for kept in tiles) / 1024


def test_area_is_the_sum_of_its_parts() -> None:
    hardware = {"pe_dim": 16.0, "scratchpad_kb": 128.0, "accumulator_kb": 32.0}
    pes = 256 * (332.25e-6 + 47.84e-6)
    memories = 16 * (0.00138 + 0.00562 * 2) + 0.0137 + 0.00261 * 128
    assert area_mm2(gemmini(), hardware) == pytest.approx(pes + memories, rel=1e-12)


def spread(hardware: Hardware) -> Hardware:
    """Return ``[design]`` as ``[design, layer]``."""
    return {name: value.unsqueeze(-1) for name, value in hardware.items()}
