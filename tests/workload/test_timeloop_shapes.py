"""Timeloop problems of any shape: what is recognised, whose roles are whose, what stays its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workload.test_timeloop_problem import EXPECTED, INLINE, SHAPE
from tilegrad.shape import packaged_shape
from tilegrad.shape.conv import CONV, GROUPED
from tilegrad.workload import Problem, read_timeloop_problem

GEMM = """problem:
  shape:
    name: gemm
    dimensions: [M, N, K]
    data-spaces:
    - {name: A, projection: [[[M]], [[K]]]}
    - {name: B, projection: [[[N]], [[K]]]}
    - {name: Z, projection: [[[M]], [[N]]], read-write: True}
  instance: {M: 64, N: 32, K: 16}
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Problem]:
    def read_text(text: str) -> Problem:
        path = tmp_path / "layer.yaml"
        path.write_text(text)
        return read_timeloop_problem(path)

    return read_text


def axes(problem: Problem, role: str) -> list[str]:
    return problem.shape.described()["tensors"][role]


def test_any_names_are_a_shape_of_their_own(read: Callable[[str], Problem]) -> None:
    problem = read(GEMM)
    assert problem.as_dict() == {"M": 64, "N": 32, "K": 16}
    assert (problem.shape.name, problem.shape.dims) == ("gemm", ("M", "N", "K"))
    # Neither slides: the first that is read is Inputs.
    assert axes(problem, "Inputs") == ["M", "K"]
    assert axes(problem, "Weights") == ["N", "K"]
    assert axes(problem, "Outputs") == ["M", "N"]


@pytest.mark.parametrize(
    ("a", "b", "inputs"),
    [
        ("A", "Inputs", ["N", "K"]),
        ("Weights", "B", ["N", "K"]),
        ("A", "Weights", ["M", "K"]),
        ("Inputs", "B", ["M", "K"]),
    ],
)
def test_roles_by_name(read: Callable[[str], Problem], a: str, b: str, inputs: list[str]) -> None:
    text = GEMM.replace("name: A", f"name: {a}").replace("name: B", f"name: {b}")
    assert axes(read(text), "Inputs") == inputs


def test_without_names_the_operand_that_slides_is_inputs(read: Callable[[str], Problem]) -> None:
    text = GEMM.replace("[[N]], [[K]]", "[[N], [K]]")
    assert axes(read(text), "Inputs") == ["N + K"]
    assert axes(read(text), "Weights") == ["M", "K"]


def test_outputs_by_name_where_nothing_is_written(read: Callable[[str], Problem]) -> None:
    text = GEMM.replace(", read-write: True", "")
    assert axes(read(text.replace("name: A", "name: Outputs")), "Outputs") == ["M", "K"]
    with pytest.raises(Exception, match="read_write is true of none; legal: of one data space"):
        read(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [("name: Weights", "name: Filters"), ("name: CNN_Layer", "name: mine"), (SHAPE, SHAPE)],
)
def test_a_convolution_is_one_whatever_it_is_called(
    read: Callable[[str], Problem], old: str, new: str
) -> None:
    problem = read(INLINE.replace(old, new))
    assert problem.shape == CONV
    assert problem.signature == EXPECTED.signature


def test_a_grouped_convolution_is_the_packaged_one(read: Callable[[str], Problem]) -> None:
    text = INLINE.replace("dimensions: [C,", "dimensions: [G, C,").replace(
        "[[[C]]", "[[[G]], [[C]]"
    )
    text = text.replace("- [[C]]", "- [[G]]\n          - [[C]]").replace("[[[N]]", "[[[G]], [[N]]")
    problem = read(text.replace("Wstride: 2}", "Wstride: 2, G: 8}"))
    assert problem.shape == GROUPED
    assert problem.bounds == (3, 5, 28, 14, 64, 96, 2, 8)
    # One group is no group.
    assert read(text.replace("Wstride: 2}", "Wstride: 2, G: 1}")).shape == CONV


def test_sums_that_are_no_convolutions_keep_their_pairs(read: Callable[[str], Problem]) -> None:
    crossed = INLINE.replace("[[R, Wdilation]", "[[X, Wdilation]").replace(
        "[[S, Hdilation]", "[[R, Hdilation]"
    )
    problem = read(crossed.replace("[[X, Wdilation]", "[[S, Wdilation]"))
    assert problem.shape != CONV
    assert axes(problem, "Inputs")[2:] == [
        "S * Wdilation + P * Wstride",
        "R * Hdilation + Q * Hstride",
    ]
    assert problem.as_dict()["Wstride"] == 2


def test_a_matrix_product_is_the_packaged_one(read: Callable[[str], Problem]) -> None:
    text = GEMM.replace("K", "C").replace("M", "P").replace("N", "K")
    assert read(text).signature == (packaged_shape("matmul"), (64, 16, 32), ())


def test_defaults_of_own_coefficients_fill_what_an_instance_lacks(
    read: Callable[[str], Problem],
) -> None:
    text = GEMM.replace("[[M]], [[K]]", "[[M, step], [K]]").replace(
        "dimensions: [M, N, K]",
        "dimensions: [M, N, K]\n    coefficients: [{name: step, default: 3}]",
    )
    assert read(text).strides == (3,)
    assert read(text.replace("M: 64", "M: 64, step: 2")).strides == (2,)
