"""The shorthand: round trips at every number of levels, batched as one by one, errors by name."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers_published import Table
from tilegrad.accelerator import Accelerator, build_accelerator, load_accelerator
from tilegrad.errors import MappingError
from tilegrad.mapping import LoopNest, format_shorthand, parse_shorthand
from tilegrad.mapping.shorthand import parse_shorthands
from tilegrad.shape.conv import DIMS

GEMMINI = load_accelerator("gemmini")
TEXT = "L3[WIO] K8 Q28 - L2[WI] N1 K4X - L1[O] K2 S7 R7 Q4 P7 C3X - L0[W] P16"
KEPT: tuple[list[str], ...] = (["Weights"], ["Outputs"], ["Inputs", "Weights"], [])


def stacked(levels: int) -> Accelerator:
    """Return an accelerator of so many levels that keep different tensors."""

    def level(index: int) -> dict[str, Any]:
        common = {"name": f"M{index}", "loops": "all", "word_bits": 8}
        if index == levels - 1:
            return {**common, "kind": "dram", "keeps": "all"}
        return {**common, "kind": "sram", "keeps": KEPT[index % len(KEPT)]}

    return build_accelerator(
        name=f"stack{levels}",
        counting="timeloop",
        energy="pat",
        arithmetic={"energy_pj": 1},
        levels=[level(index) for index in range(levels)],
    )


ACCELERATORS = (GEMMINI, stacked(2), stacked(3), stacked(6))


@st.composite
def mappings(draw: st.DrawFn, levels: int) -> LoopNest:
    factor = st.one_of(st.just(1), st.integers(1, 10**9))
    size = levels * len(DIMS)
    temporal = draw(st.lists(factor, min_size=size, max_size=size))
    spatial = draw(st.lists(factor, min_size=2 * size, max_size=2 * size))
    orders = [draw(st.permutations(range(len(DIMS)))) for _ in range(levels)]
    return LoopNest(
        torch.tensor(temporal, dtype=torch.float64).view(levels, -1),
        torch.tensor(spatial, dtype=torch.float64).view(levels, 2, -1),
        torch.tensor(orders),
    )


def same(one: LoopNest, two: LoopNest) -> bool:
    return all(
        torch.equal(getattr(one, name), getattr(two, name))
        for name in ("temporal", "spatial", "order")
    )


def loop_orders(mapping: LoopNest) -> list[list[int]]:
    """Return the order of the loops that are there; that of loops of 1 means nothing."""
    rows = zip(mapping.order.tolist(), mapping.temporal.tolist(), strict=True)
    return [[dim for dim in order if bounds[dim] > 1] for order, bounds in rows]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_mapping_to_text_and_back(data: st.DataObject) -> None:
    accelerator = data.draw(st.sampled_from(ACCELERATORS), label="accelerator")
    mapping = data.draw(mappings(len(accelerator.levels)))
    text = format_shorthand(mapping, accelerator)
    back = parse_shorthand(text, accelerator)
    assert torch.equal(back.temporal, mapping.temporal)
    assert torch.equal(back.spatial, mapping.spatial)
    assert loop_orders(back) == loop_orders(mapping)
    assert torch.equal(back.order.sort(-1).values, mapping.order.sort(-1).values)
    assert format_shorthand(back, accelerator) == text


@settings(max_examples=20, deadline=None)
@given(st.lists(mappings(4), min_size=1, max_size=4), st.data())
def test_batched_is_one_by_one(written: list[LoopNest], data: st.DataObject) -> None:
    distinct = [format_shorthand(mapping, GEMMINI) for mapping in written]
    texts = data.draw(st.lists(st.sampled_from(distinct), min_size=1, max_size=9))
    batch = parse_shorthands(texts, GEMMINI)
    assert all(same(batch[row], parse_shorthand(text, GEMMINI)) for row, text in enumerate(texts))


def test_published_text_to_mapping_and_back(timeloop_rows: Table) -> None:
    texts = pd.read_csv(timeloop_rows.path)["mapping.mapping"].unique().tolist()
    batch = parse_shorthands(texts, GEMMINI)
    assert [format_shorthand(batch[row], GEMMINI) for row in range(len(texts))] == texts


def test_what_a_text_means() -> None:
    mapping = parse_shorthand(TEXT, GEMMINI)
    loops = {
        (level, DIMS[dim]): int(mapping.temporal[level, dim])
        for level, dim in (mapping.temporal > 1).nonzero().tolist()
    }
    inner = {"K": 2, "S": 7, "R": 7, "Q": 4, "P": 7}
    assert loops == {(3, "K"): 8, (3, "Q"): 28, (0, "P"): 16} | {
        (1, dim): bound for dim, bound in inner.items()
    }
    assert mapping.spatial[2, 0, DIMS.index("K")] == 4
    assert mapping.spatial[1, 0, DIMS.index("C")] == 3
    assert mapping.spatial.prod() == 12
    assert [DIMS[dim] for dim in mapping.order[1].tolist()][:5] == list(inner)


def test_spatial_loops_are_written_last_y_before_x() -> None:
    text = "L1[WIO] K2X P4 C3Y C5X - L0[W] N1"
    two = stacked(2)
    assert format_shorthand(parse_shorthand(text, two), two) == (
        "L1[WIO] P4 C3Y C5X K2X - L0[W] N1"
    )


def test_no_texts() -> None:
    assert parse_shorthands([], GEMMINI).temporal.shape == (0, 4, 7)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (" - L0[W] P16", "", ("3 levels", "gemmini has 4")),
        ("L2[WI]", "L1[WI]", ("level L2", "'L1[WI]'", "'L2[WI]'")),
        ("L2[WI]", "L2[WO]", ("level L2", "'L2[WO]'", "Scratchpad", "'L2[WI]'")),
        ("L2[WI] N1 K4X", "", ("level L2", "''", "'L2[WI]'")),
        ("K4X", "K4Z", ("level L2", "'K4Z'", "axis 'Z'", "legal: X, Y")),
        ("K4X", "KX", ("level L2", "'KX'", "not a loop")),
        ("K4X", "K-4X", ("level L2", "'K-4X'", "not a loop")),
        ("K4X", "K4.5X", ("level L2", "'K4.5X'", "not a loop")),
        ("Q4", "T4", ("level L1", "'T4'", "unknown dim 'T'", "R, S, P, Q, C, K, N")),
        ("Q4", "k4", ("level L1", "'k4'", "unknown dim 'k'")),
        ("Q4", "Q0", ("level L1", "'Q0'", "bound 0", "integer >= 1")),
        ("Q4", "Q4 Q2", ("level L1", "two temporal loops over Q")),
        ("Q4", "Q" + "9" * 30, ("level L1", "not a loop")),
    ],
)
def test_malformed_text(old: str, new: str, words: tuple[str, ...]) -> None:
    text = TEXT.replace(old, new)
    with pytest.raises(MappingError) as caught:
        parse_shorthands([TEXT, text, "L0"], GEMMINI)
    message = str(caught.value)
    assert all(word in message for word in (repr(text), *words)), message
    assert "\n" not in message
