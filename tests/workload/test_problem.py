"""Problem: validation, sizes against enumeration, and the pair from_fields / as_dict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad.shape.conv import DIMS, STRIDES
from tilegrad.workload import Problem

SIX = {"R": 3, "S": 3, "P": 8, "Q": 8, "C": 4, "K": 16}

small_problems = st.builds(
    Problem,
    st.just("layer"),
    st.tuples(*[st.integers(1, 3)] * 7),
    st.tuples(*[st.integers(1, 3)] * 4),
)


def enumerate_layer(problem: Problem) -> tuple[int, dict[str, set[tuple[int, ...]]]]:
    """Walk the loop nest and collect the words that each tensor is touched at."""
    wstride, hstride, wdilation, hdilation = problem.strides
    touched: dict[str, set[tuple[int, ...]]] = {"Weights": set(), "Inputs": set(), "Outputs": set()}
    steps = 0
    for r, s, p, q, c, k, n in product(*map(range, problem.bounds)):
        steps += 1
        row, column = p * wstride + r * wdilation, q * hstride + s * hdilation
        touched["Weights"].add((r, s, c, k))
        touched["Inputs"].add((n, c, row, column))
        touched["Outputs"].add((n, k, p, q))
    return steps, touched


@given(small_problems)
def test_sizes_agree_with_enumeration(problem: Problem) -> None:
    steps, touched = enumerate_layer(problem)
    sizes = problem.tensor_sizes()
    assert problem.macs == steps
    assert sizes["Weights"] == len(touched["Weights"])
    assert sizes["Outputs"] == len(touched["Outputs"])
    spans = [max(axis) + 1 for axis in zip(*touched["Inputs"], strict=True)]
    assert sizes["Inputs"] == spans[0] * spans[1] * spans[2] * spans[3]


@given(small_problems, st.sampled_from([int, float, str]))
def test_fields_and_back(problem: Problem, written_as: type) -> None:
    fields = {field: written_as(value) for field, value in problem.as_dict().items()}
    assert tuple(fields) == (*DIMS, *STRIDES)
    assert Problem.from_fields("layer", fields) == problem


def test_batch_strides_and_dilations_default_to_one() -> None:
    assert Problem.from_fields("a", SIX) == Problem("a", (3, 3, 8, 8, 4, 16, 1), (1, 1, 1, 1), 1)


@pytest.mark.parametrize("value", [0, -1, 2**53 + 1, True, 1.0, "3", None])
@pytest.mark.parametrize("field", [*DIMS, *STRIDES, "count"])
def test_illegal_values_are_refused(
    refused: Callable[..., None], field: str, value: object
) -> None:
    values: dict[str, object] = {**dict.fromkeys((*DIMS, *STRIDES, "count"), 1), field: value}
    bounds = tuple(values[dim] for dim in DIMS)
    strides = tuple(values[name] for name in STRIDES)
    refused(
        lambda: Problem("conv1", bounds, strides, values["count"]),  # type: ignore[arg-type]
        "layer 'conv1'",
        f"field {field}:",
        repr(value),
        "legal: an integer from 1",
    )


@pytest.mark.parametrize(
    ("bounds", "strides", "field"),
    [
        ((1,) * 6, (1,) * 4, "bounds"),
        ((1,) * 7, (1,) * 3, "strides"),
        ([1] * 7, (1,) * 4, "bounds"),
    ],
)
def test_tuples_of_the_wrong_length_or_type_are_refused(
    refused: Callable[..., None], bounds: tuple[int, ...], strides: tuple[int, ...], field: str
) -> None:
    refused(lambda: Problem("conv1", bounds, strides), "'conv1'", f"field {field}", "a tuple of")


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_name_is_required(refused: Callable[..., None], name: str) -> None:
    refused(lambda: Problem(name, (1,) * 7), "layer name", repr(name))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Wstrid": 2}, ["unknown field 'Wstrid'", "nearest: Wstride"]),
        ({"P": 3.5}, ["field P", "3.5"]),
        ({"P": "abc"}, ["field P", "'abc'"]),
        ({"P": "1_000"}, ["field P", "'1_000'"]),
        ({"P": float("nan")}, ["field P", "nan"]),
        ({"P": float("inf")}, ["field P", "inf"]),
        ({"P": True}, ["field P", "True"]),
        ({"Hdilation": 0}, ["field Hdilation", "0"]),
    ],
)
def test_from_fields_names_place_layer_and_field(
    refused: Callable[..., None], change: Mapping[str, object], words: list[str]
) -> None:
    fields = {**SIX, **change}
    refused(
        lambda: Problem.from_fields("conv1", fields, where="net.csv, line 7"),
        "net.csv, line 7, layer 'conv1'",
        *words,
    )


@pytest.mark.parametrize("field", SIX)
def test_the_six_bounds_must_be_stated(refused: Callable[..., None], field: str) -> None:
    fields = {name: value for name, value in SIX.items() if name != field}
    refused(lambda: Problem.from_fields("conv1", fields), f"field {field} is missing", "R, S, P, Q")
