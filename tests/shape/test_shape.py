"""What a shape derives: kinds of dims, relevance, the same problem with fewer dims."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers import gemmini
from tests.helpers_shapes import drawn_shapes
from tilegrad.accelerator import Accelerator, load_accelerator
from tilegrad.mapping.space import MapSpace
from tilegrad.shape import (
    GROUP,
    INPUTS,
    OUTPUTS,
    ROLES,
    WEIGHTS,
    Shape,
    build_shape,
    load_shape,
    packaged_shapes,
)
from tilegrad.shape.conv import CONV, GROUPED

KINDS = {
    (WEIGHTS, INPUTS): "CRS",
    (WEIGHTS, OUTPUTS): "K",
    (INPUTS, OUTPUTS): "PQN",
    (WEIGHTS, INPUTS, OUTPUTS): "G",
    (WEIGHTS,): "C",
    (INPUTS,): "C",
    (OUTPUTS,): "PQN",
}
"""What a dim of these tensors may be to an accelerator."""


def test_packaged_shapes_are_what_they_are_called() -> None:
    letters = {name: "".join(load_shape(name).letters) for name in packaged_shapes()}
    assert letters == {
        "batched_matmul": "GPCK",
        "contraction": "PPKKCC",
        "conv": "RSPQCKNG",
        "conv3d": "RRSPPQCKN",
        "grouped_conv3d": "RRSPPQCKNG",
        "matmul": "PCK",
    }


def own(dims: str, weights: str, inputs: str, outputs: str, **fields: object) -> Shape:
    """Return a shape; commas part its axes."""
    axes = dict(zip(ROLES, (weights, inputs, outputs), strict=True))
    tensors = {role: text.split(",") for role, text in axes.items()}
    return build_shape({"name": "own", "dims": list(dims), "tensors": tensors, **fields}, "own")


@pytest.mark.parametrize(
    ("shape", "letters"),
    [
        # A convolution under other names: the axes part its filters and its pixels.
        (own("abxyiok", "a,b,i,o,k", "i,x+a,y+b,k", "o,x,y,k"), "RSPQCKG"),
        (own("yxba", "b,a", "y+b,x+a", "y,x"), "PQRS"),
        # A strided one with one axis, one without a filter.
        (own("xfk", "f,k", "2*x+f", "x,k"), "PRK"),
        (own("xck", "c,k", "2*x,c", "x,k"), "PCK"),
        # A name of a convolution's dim holds only where the tensors are that dim's.
        (own("KCP", "C,P", "C,K", "K,P"), "PCK"),
        (own("NSR", "S,R", "S,N", "N,R"), "NSK"),
        # A dim of one operand alone is summed over; one of the result alone is copied along.
        (own("abc", "a,b", "c", "b"), "CKC"),
        (own("ab", "a", "a", "b"), "CP"),
        # MTTKRP's two steps in one: a factor's rank is in every tensor.
        (own("ijr", "j,r", "i,j,r", "i,r"), "PCG"),
        (own("xck", "c,k", "x,c", "x,k", like={"x": "N"}), "NCK"),
    ],
)
def test_kinds_are_derived(shape: Shape, letters: str) -> None:
    assert "".join(shape.letters) == letters


@given(drawn_shapes())
def test_kinds_are_legal_for_their_tensors(shape: Shape) -> None:
    for dim, letter in enumerate(shape.letters):
        homes = tuple(role for role in ROLES if dim in shape.relevant[role])
        assert letter in KINDS[homes]


@given(drawn_shapes())
def test_relevance_and_sliding_are_read_from_the_axes(shape: Shape) -> None:
    for role, axes in zip(ROLES, shape.axes, strict=True):
        terms = [(term, len(axis.terms)) for axis in axes for term in axis.terms]
        assert shape.relevant[role] == {term.dim for term, _ in terms}
        assert set(shape.sliding[role]) == {
            term.dim for term, count in terms if count > 1 or term.coefficient != 1
        }


@given(drawn_shapes(), st.data())
def test_a_shape_without_dims_indexes_the_same_words(shape: Shape, data: st.DataObject) -> None:
    """Where the dims left out are 1, every iteration touches the words that it touched."""
    gone = data.draw(st.sets(st.sampled_from(shape.dims), max_size=len(shape.dims) - 1))
    bounds = {dim: 1 if dim in gone else data.draw(st.integers(1, 3)) for dim in shape.dims}
    steps = tuple(data.draw(st.integers(1, 3)) for _ in shape.coefficients)
    smaller = shape.without(gone)
    assert smaller.dims == tuple(dim for dim in shape.dims if dim not in gone)
    assert dict(zip(shape.dims, shape.letters, strict=True)).items() >= set(
        zip(smaller.dims, smaller.letters, strict=True)
    )
    for role in ROLES:
        assert touched(smaller, role, bounds, steps) == touched(shape, role, bounds, steps)


def touched(
    shape: Shape, role: str, bounds: dict[str, int], steps: tuple[int, ...]
) -> list[tuple[int, ...]]:
    """Return the word of a tensor that each iteration touches, without indices that stay 0."""
    given = dict(zip(shape.coefficients, steps, strict=True))
    words = [
        tuple(
            sum(at[t.dim] * int(given.get(str(t.coefficient), t.coefficient)) for t in axis.terms)
            for axis in shape.axes[ROLES.index(role)]
        )
        for at in product(*(range(bounds[dim]) for dim in shape.dims))
    ]
    moving = [place for place in range(len(words[0])) if any(word[place] for word in words)]
    return [tuple(word[place] for place in moving) for word in words]


def test_a_convolution_of_one_group_is_one_without_the_dim() -> None:
    assert CONV.dims == ("R", "S", "P", "Q", "C", "K", "N")
    assert CONV.letters == GROUPED.letters[:-1]
    assert CONV.left_out == ()
    assert CONV.without([]) is CONV


@pytest.mark.parametrize("name", ["gemmini", "simba", "eyeriss", "nvdla_small"])
def test_loops_lie_where_a_convolutions_of_their_kind_do(name: str) -> None:
    accelerator = load_accelerator(name)
    of_a_convolution = slots(accelerator)
    for shape in map(load_shape, packaged_shapes()):
        assert slots(accelerator.running(shape)) == {
            slot for slot in of_a_convolution if slot[2] in shape.letters
        }


def slots(accelerator: Accelerator) -> set[tuple[int, int, str]]:
    """Return level, axis and kind of every free loop, but those over groups."""
    letters = accelerator.shape.letters
    every = [(slot.level, slot.axis, letters[slot.dim]) for slot in MapSpace(accelerator).slots]
    return {slot for slot in every if slot[2] != GROUP}


def test_groups_lie_where_all_other_loops_may() -> None:
    grouped = gemmini().running(GROUPED)
    group = GROUPED.dims.index("G")
    assert [group in level.loops for level in grouped.levels] == [False, True, False, True]
    assert not any(group in fan.dims for level in grouped.levels for fan in level.fanout.values())
