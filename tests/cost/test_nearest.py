"""The nearest mapping that fits: it fits, is of the same layer, and no nearer one does."""

from __future__ import annotations

import pytest
import torch

from tests.helpers import generator, integer_mappings
from tilegrad.accelerator import load_accelerator
from tilegrad.cost.capacity import fits
from tilegrad.cost.nearest import nearest_fitting
from tilegrad.mapping import format_shorthand, parse_shorthand
from tilegrad.mapping.validity import find_violations
from tilegrad.nest import analyse

ONES = torch.ones(4, dtype=torch.float64)
HARDWARE = {"pe_dim": 4.0, "scratchpad_kb": 1.0, "accumulator_kb": 1.0}


def test_a_mapping_that_fits_stays() -> None:
    gemmini = load_accelerator("gemmini")
    mapping = parse_shorthand("L3[WIO] N1 - L2[WI] N1 K4X - L1[O] P2 C4X - L0[W] N1", gemmini)
    found = nearest_fitting(mapping, ONES, gemmini, HARDWARE)
    assert found is not None
    assert (found.moves, format_shorthand(found.mapping, gemmini)) == (
        0,
        "L3[WIO] N1 - L2[WI] N1 K4X - L1[O] P2 C4X - L0[W] N1",
    )


def test_one_factor_too_much() -> None:
    gemmini = load_accelerator("gemmini")
    mapping = parse_shorthand("L3[WIO] N1 - L2[WI] N1 K8X - L1[O] P2 C4X - L0[W] N1", gemmini)
    found = nearest_fitting(mapping, ONES, gemmini, HARDWARE)
    assert found is not None
    assert found.moves == 1
    assert found.mapping.spatial.prod().item() == 16


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("nvdla_small", 6),
        pytest.param("simba", 3, marks=pytest.mark.slow),
        pytest.param("simba", 6, marks=pytest.mark.exhaustive),
        pytest.param("eyeriss", 6, marks=pytest.mark.exhaustive),
    ],
)
def test_random_mappings(name: str, rows: int) -> None:
    accelerator = load_accelerator(name)
    mappings = integer_mappings(accelerator, 6, generator(3))
    for row in range(rows):
        found = nearest_fitting(mappings[row], ONES, accelerator, {})
        assert found is not None
        before = fits(analyse(mappings[row], ONES, accelerator), accelerator, {})
        assert (found.moves == 0) == bool(before.all())
        one = found.mapping.alone()
        assert fits(analyse(one, ONES, accelerator), accelerator, {}).all()
        assert find_violations(one, mappings[row].bounds().unsqueeze(0), accelerator) == {}


@pytest.mark.parametrize(
    ("text", "moves"),
    [
        ("L3[WIO] K2 - L2[WI] N1 K2X - L1[O] P2 C4Y - L0[W] N1", 2),
        ("L3[WIO] K2 - L2[WI] C2X K2X - L1[O] P2 C2X - L0[W] N1", 1),
        ("L3[WIO] K2 - L2[WI] N1 K2X - L1[O] P2 P2X - L0[W] C2X", 2),
    ],
)
def test_loops_out_of_place(text: str, moves: int) -> None:
    gemmini = load_accelerator("gemmini")
    mapping = parse_shorthand(text, gemmini)
    assert find_violations(mapping.each(lambda part: part[None]), mapping.bounds()[None], gemmini)
    found = nearest_fitting(mapping, ONES, gemmini, HARDWARE)
    assert found is not None
    assert found.moves == moves
    one = found.mapping.each(lambda part: part[None])
    assert find_violations(one, mapping.bounds()[None], gemmini) == {}


def test_any_level_may_hold_a_loop_that_fits() -> None:
    """Four Weights do not fit into a register, two more loops over the scratchpad do."""
    gemmini = load_accelerator("gemmini")
    for text, moves in (
        ("L3[WIO] K2 - L2[WI] C2 K2X - L1[O] P2 C2X - L0[W] Q2", 0),
        ("L3[WIO] K2 - L2[WI] C2 K2X - L1[O] P2 - L0[W] C4", 2),
    ):
        found = nearest_fitting(parse_shorthand(text, gemmini), ONES, gemmini, HARDWARE)
        assert found is not None
        assert found.moves == moves


def test_hardware_that_holds_nothing() -> None:
    gemmini = load_accelerator("gemmini")
    mapping = parse_shorthand("L3[WIO] N1 - L2[WI] N1 - L1[O] P2 - L0[W] N1", gemmini)
    tiny = {"pe_dim": 1.0, "scratchpad_kb": 0.0001, "accumulator_kb": 1.0}
    assert nearest_fitting(mapping, ONES, gemmini, tiny) is None
