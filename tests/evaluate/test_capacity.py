"""Overflows: which level, what, by how much."""

from __future__ import annotations

import torch

from tilegrad.accelerator import load_accelerator
from tilegrad.accelerator.expression import Value
from tilegrad.cost.capacity import Overflow, find_overflows, fits
from tilegrad.cost.hardware import infer_hardware
from tilegrad.mapping.shorthand import parse_shorthands
from tilegrad.nest import Nest, analyse

GEMMINI = load_accelerator("gemmini")
SMALL = "L3[WIO] K8 Q28 - L2[WI] N1 K4X - L1[O] K2 S7 R7 Q4 P7 C3X - L0[W] P16"
# Weights 12 * 12 * 1024 bytes, Inputs 68.5 KB: 8 rows of 8768 words.
LARGE = "L3[WIO] N1 - L2[WI] N1 K4X - L1[O] K36 C274 P8 Q8 C16X - L0[W] P4"
HARDWARE = {"pe_dim": 16, "scratchpad_kb": 128, "accumulator_kb": 288}


def nest(*texts: str) -> Nest:
    return analyse(parse_shorthands(texts, GEMMINI), torch.ones(4).double(), GEMMINI)


def test_the_sentence_names_parts_and_excess() -> None:
    overflow = Overflow("Scratchpad", "KB", 212.5, 128, {"Weights": 144.0, "Inputs": 68.5})
    assert str(overflow) == (
        "Scratchpad must hold 212.5 KB (Weights 144 + Inputs 68.5), 84.5 KB more than its 128 KB"
    )


def test_a_byte_too_much_is_shown() -> None:
    assert "0.001 KB more" in str(Overflow("Buffer", "KB", 1025 / 1024, 1.0, {"Weights": 1}))


def test_capacity_in_kb() -> None:
    found = find_overflows(nest(SMALL, LARGE), GEMMINI, HARDWARE)
    assert list(found) == [1]
    scratchpad = next(over for over in found[1] if over.level == "Scratchpad")
    weights, inputs = 4 * 36 * 274 * 16 / 1024, 274 * 16 * 32 * 8 / 1024
    assert scratchpad.what == "KB"
    assert scratchpad.parts == {"Weights": weights, "Inputs": inputs}
    assert (scratchpad.need, scratchpad.have) == (weights + inputs, 128)


def test_mesh_and_words_of_an_instance() -> None:
    two_weights = SMALL.replace("P16", "R7").replace("R7 Q4", "Q4")
    found = find_overflows(nest(two_weights), GEMMINI, {**HARDWARE, "pe_dim": 2})[0]
    assert [(over.level, over.what, over.need, over.have) for over in found] == [
        ("Registers", "words", 7, 1),
        ("Accumulator", "X", 3, 2),
        ("Scratchpad", "X", 4, 2),
    ]
    assert "Registers must hold 7 words (Weights 7), 6 words more than its 1" in str(found[0])
    assert str(found[1]) == (
        "Accumulator spreads loops over 3 instances along X, 1 more than the mesh has (2)"
    )


def test_hardware_for_each_mapping() -> None:
    both = nest(SMALL, SMALL)
    hardware: dict[str, Value] = {**HARDWARE, "pe_dim": torch.tensor([4.0, 3.0]).double()}
    assert list(find_overflows(both, GEMMINI, hardware)) == [1]
    assert fits(both, GEMMINI, hardware).tolist() == [True, False]


def test_inferred_hardware_is_the_smallest_that_fits() -> None:
    layers = nest(SMALL, LARGE)
    hardware = infer_hardware(GEMMINI, layers, {})
    assert fits(layers, GEMMINI, hardware).all()
    for name, value in hardware.items():
        assert not fits(layers, GEMMINI, {**hardware, name: value - 1}).all(), name
