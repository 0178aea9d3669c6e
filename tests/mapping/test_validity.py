"""Violations: what is illegal in a mapping, where, and what would be legal."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.helpers_literal import not_proposed
from tilegrad.accelerator import load_accelerator
from tilegrad.mapping import LoopNest, concatenate, parse_shorthand, unit_mapping
from tilegrad.mapping.shorthand import parse_shorthands
from tilegrad.mapping.validity import find_violations
from tilegrad.shape.conv import C, K, P, Q

GEMMINI = load_accelerator("gemmini")
LEGAL = "L3[WIO] K8 Q28 - L2[WI] N1 K4X - L1[O] K2 S7 R7 Q4 P7 C3X - L0[W] P16"
OR_PADDED = "or the least above it that the inner ones reach"
BOUNDS = torch.tensor([7, 7, 112, 112, 3, 64, 1], dtype=torch.float64)


def reasons(text: str) -> list[str]:
    found = find_violations(parse_shorthands([text], GEMMINI), BOUNDS, GEMMINI)
    return [violation.reason for violation in found.get(0, [])]


def changed(place: str, index: tuple[int, ...], value: float) -> LoopNest:
    mapping = parse_shorthands([LEGAL], GEMMINI).each(Tensor.clone)
    getattr(mapping, place)[0][index] = value
    return mapping


def test_legal_mappings_have_no_violations() -> None:
    batch = parse_shorthands([LEGAL] * 3, GEMMINI)
    assert find_violations(batch, BOUNDS, GEMMINI) == {}
    assert find_violations(unit_mapping(4, (2,)), torch.ones(7).double(), GEMMINI) == {}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("K8", "K4", f"the factors of K multiply to 32; legal: 64, {OR_PADDED}"),
        ("K8", "K9", f"the factors of K multiply to 72; legal: 64, {OR_PADDED}"),
        ("Q28", "Q29", f"the factors of Q multiply to 116; legal: 112, {OR_PADDED}"),
        ("C3X", "C3Y", "Accumulator (L1): spatial loop C3Y; legal along Y: none"),
        ("K4X", "Q4X", "Scratchpad (L2): spatial loop Q4X; legal along X: K"),
        ("K8", "K8 C2X", "DRAM (L3): spatial loop C2X; legal along X: none"),
    ],
)
def test_text_that_breaks_a_rule(old: str, new: str, reason: str) -> None:
    assert reason in reasons(LEGAL.replace(old, new))


@pytest.mark.parametrize(
    ("changes", "legal"),
    [
        # 64 = 6 tiles of 12, less 8; 7 such tiles repeat one for nothing.
        ({"K2": "K3", "K8": "K6"}, True),
        ({"K2": "K3", "K8": "K7"}, False),
        # 112 = 8 tiles of 15, less 8, all at one level; 8 tiles of 16 are one too many.
        ({"P16": "P15", "P7": "P8"}, True),
        ({"P7": "P8"}, False),
        # 4 columns of 17, 16, 15 or 22 channels each: of 22, 3 columns would do.
        ({"K8 ": "", "K2": "K17"}, True),
        ({"K8 ": "", "K2": "K22"}, False),
        ({"K8 ": "", "K2": "K16"}, True),
        ({"K8 ": "", "K2": "K15"}, False),
        # The outermost loop over 3 channels lies side by side.
        ({"C3X": "C4X"}, False),
    ],
)
def test_padded_mappings_repeat_no_outermost_loop_for_nothing(
    changes: dict[str, str], legal: bool
) -> None:
    text = LEGAL
    for old, new in changes.items():
        text = text.replace(old, new)
    assert bool(reasons(text)) != legal


@pytest.mark.parametrize(("place", "loop"), [("P16", "S7"), ("P16", "Q4"), ("N1", "S7")])
def test_any_level_runs_any_loop_in_time(place: str, loop: str) -> None:
    """Also where a search puts none: at Gemmini's registers, for example, any but P."""
    elsewhere = LEGAL.replace(f" {loop}", "").replace(place, f"{place} {loop}")
    assert len(not_proposed(parse_shorthand(elsewhere, GEMMINI), GEMMINI)) == 1
    assert not reasons(elsewhere)


@pytest.mark.parametrize(
    ("place", "index", "value", "reason"),
    [
        (
            "temporal",
            (1, Q),
            2.5,
            "Accumulator (L1): temporal factor of Q is 2.5; legal: an integer",
        ),
        ("temporal", (0, P), 0.0, "Registers (L0): temporal factor of P is 0; legal: an integer"),
        ("temporal", (3, C), float("nan"), "DRAM (L3): temporal factor of C is nan"),
        ("temporal", (3, C), float("inf"), "DRAM (L3): temporal factor of C is inf"),
        ("spatial", (2, 0, K), -4.0, "Scratchpad (L2): spatial factor of K along X is -4; legal"),
        ("order", (1, 0), 3, "Accumulator (L1): loop order is [3, "),
        ("order", (1, 0), 9, "legal: a permutation of 0..6"),
    ],
)
def test_tensor_that_breaks_a_rule(
    place: str, index: tuple[int, ...], value: float, reason: str
) -> None:
    found = find_violations(changed(place, index, value), BOUNDS, GEMMINI)
    assert any(reason in violation.reason for violation in found[0]), found


def test_violations_are_found_by_index() -> None:
    good = parse_shorthands([LEGAL], GEMMINI)
    batch = concatenate([good, changed("temporal", (3, K), 16), good])
    found = find_violations(batch, BOUNDS, GEMMINI)
    assert list(found) == [1]
    assert [violation.rule for violation in found[1]] == ["factors do not multiply to the bound"]


def test_every_broken_rule_is_reported() -> None:
    broken = LEGAL.replace("K8", "K4").replace("K4X", "Q4X").replace("C3X", "C3Y")
    assert len(reasons(broken)) == 4
