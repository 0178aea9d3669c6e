"""Operators as problems, against literal counts and the tensors that they read and write."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from tilegrad.networks.operators.contraction import FIRST, attention, matrix_product
from tilegrad.networks.operators.convolution import (
    TransposedAxis,
    Window,
    convolution,
    transposed_convolution,
)
from tilegrad.networks.operators.einsum import NoProductError, einsum

labelled = st.lists(st.sampled_from("abcde"), min_size=1, max_size=4, unique=True)


@st.composite
def equations(draw: st.DrawFn) -> tuple[str, dict[str, int]]:
    """Equations that sum some label of both operands, with sizes of the labels."""
    first, second = draw(labelled), draw(labelled)
    both = [label for label in first if label in second]
    if not both:
        first, second, both = [*first, "z"], ["z", *second], ["z"]
    summed = draw(st.sets(st.sampled_from(both), min_size=1))
    kept = [label for label in dict.fromkeys([*first, *second]) if label not in summed]
    result = draw(st.permutations(kept))
    sizes = {label: draw(st.integers(1, 4)) for label in [*first, *second]}
    return f"{''.join(first)},{''.join(second)}->{''.join(result)}", sizes


@given(equations())
def test_an_equation_multiplies_all_its_labels_and_reads_its_tensors(
    case: tuple[str, dict[str, int]],
) -> None:
    equation, sizes = case
    first, second = equation.partition("->")[0].split(",")
    shapes = [[sizes[label] for label in text] for text in (first, second)]
    found = einsum(equation, shapes)
    assert found.macs == prod(sizes[label] for label in {*first, *second})
    words = [prod(shape) for shape in shapes]
    out = torch.einsum(equation, *(torch.zeros(shape) for shape in shapes)).numel()
    for held, (inputs, weights) in (("second", words), (FIRST, words[::-1])):
        layer = found.problem("product", held)
        assert layer.tensor_sizes() == {"Weights": weights, "Inputs": inputs, "Outputs": out}


@pytest.mark.parametrize(
    ("equation", "shapes", "macs"),
    [
        ("...ij,jk->...ik", [(2, 3, 4, 5), (5, 6)], 2 * 3 * 4 * 5 * 6),
        ("...ij,...jk", [(2, 3, 4, 5), (1, 3, 5, 6)], 2 * 3 * 4 * 5 * 6),
        ("ij,jk", [(4, 5), (5, 6)], 4 * 5 * 6),
        ("i...,i...->...", [(4, 7), (4, 7)], 4 * 7),
    ],
)
def test_ellipses_and_results_that_are_not_stated(
    equation: str, shapes: list[tuple[int, ...]], macs: int
) -> None:
    torch.einsum(equation, *(torch.zeros(shape) for shape in shapes))
    assert einsum(equation, shapes).macs == macs


@pytest.mark.parametrize(
    ("equation", "rank", "words", "macs"),
    [
        ("ij,ij->ij", [2, 2], "element by element", 0),
        ("ii,ij->j", [2, 2], "diagonal", None),
        ("ij,jk,kl->il", [2, 2, 2], "3 operands", None),
        ("ij->j", [2], "1 operands", None),
    ],
)
def test_no_product(equation: str, rank: list[int], words: str, macs: int | None) -> None:
    with pytest.raises(NoProductError, match=words) as caught:
        einsum(equation, [(3,) * each for each in rank])
    assert caught.value.macs == macs


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((4, 5), (5, 6)),
        ((5,), (5, 6)),
        ((4, 5), (5,)),
        ((5,), (5,)),
        ((2, 4, 5), (5, 6)),
        ((4, 5), (2, 5, 6)),
        ((2, 1, 4, 5), (3, 5, 6)),
        ((2, 3, 4, 5), (2, 3, 5, 6)),
    ],
)
def test_matrix_products_broadcast(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    found = matrix_product(first, second)
    out = torch.zeros(first) @ torch.zeros(second)
    assert found.macs == out.numel() * first[-1]
    words = found.problem("product").tensor_sizes()
    assert (words["Inputs"], words["Weights"]) == (prod(first), prod(second))
    assert words["Outputs"] == out.numel()


@pytest.mark.parametrize("heads", [1, 2, 6])
def test_queries_that_share_keys_are_rows_of_one_product(heads: int) -> None:
    query, key, value = (2, 6, 10, 8), (2, heads, 12, 8), (2, heads, 12, 16)
    scores, values = attention(query, key, value)
    for found, other in ((scores, key), (values, value)):
        words = found.problem("product").tensor_sizes()
        assert words["Weights"] == prod(other)
        assert found.batches == 2 * heads
    assert scores.macs == 2 * 6 * 10 * 12 * 8
    assert values.macs == 2 * 6 * 10 * 12 * 16
    repeated = (2, 6, 12, 8), (2, 6, 12, 16)
    assert attention(query, *repeated, repeats=6 // heads) == (scores, values)


@given(
    st.integers(1, 9),
    st.integers(1, 5),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(0, 4),
    st.integers(0, 2),
)
def test_a_transposed_axis_is_its_phases_output_by_output(
    inputs: int, taps: int, stride: int, dilation: int, padding: int, more: int
) -> None:
    outputs = (inputs - 1) * stride - 2 * padding + dilation * (taps - 1) + 1 + more
    if outputs < 1:
        return
    axis = TransposedAxis(outputs, taps, stride, padding, dilation)
    literal = {
        out: [
            (out + padding - tap * dilation) // stride
            for tap in range(taps)
            if (out + padding - tap * dilation) % stride == 0
        ]
        for out in range(outputs)
    }
    windows = list(axis.phases())
    assert sum(w.outputs * w.taps for w in windows) == sum(map(len, literal.values()))
    steps = {abs(a - b) for read in literal.values() for a, b in pairwise(read)}
    assert {w.dilation for w in windows if w.taps > 1} == steps
    assert sorted(w.outputs for w in windows if w.taps) == sorted(
        sum(1 for out, read in literal.items() if out % stride == phase and read)
        for phase in range(stride)
        if literal.get(phase)
    )


def test_a_transposed_convolution_by_its_phases_computes_the_same() -> None:
    torch.manual_seed(0)
    x, weight = torch.randn(1, 3, 6, 6), torch.randn(3, 2, 4, 4)
    whole = functional.conv_transpose2d(x, weight, stride=2, padding=1)
    flipped = weight.flip(2, 3).transpose(0, 1)
    parts = torch.zeros_like(whole)
    for down in range(2):
        for right in range(2):
            phase = functional.conv2d(x, flipped[:, :, down::2, right::2], padding=1)
            parts[:, :, down::2, right::2] = phase[:, :, down : down + 6, right : right + 6]
    assert torch.allclose(parts, whole, atol=1e-5)
    axis = TransposedAxis(12, 4, 2, 1)
    (layer,) = transposed_convolution("up", 1, (3, 2), 1, (axis, axis))
    assert layer.count == 4
    same = convolution("up", 1, (3, 2), 1, (Window(6, 2), Window(6, 2)))
    assert layer.signature == same.signature
