"""Expressions over hardware parameters, on numbers and on tensors with gradients."""

from __future__ import annotations

import operator
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tilegrad.accelerator.expression import parse_expression
from tilegrad.errors import AcceleratorError

OPERATORS: dict[str, Callable[..., float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
sizes = st.floats(0.25, 64)


def parse(text: object) -> Callable[..., object]:
    return parse_expression(text, ("a", "b"), "here")


@given(sizes, sizes, sizes, st.sampled_from(sorted(OPERATORS)), st.sampled_from(sorted(OPERATORS)))
def test_values_are_those_of_arithmetic(a: float, b: float, c: float, p: str, q: str) -> None:
    found = parse(f"(a {p} b) {q} {c!r}")({"a": a, "b": b})
    assert found == OPERATORS[q](OPERATORS[p](a, b), c)


@pytest.mark.parametrize(
    ("text", "value"), [("2 + a * b", 17), ("a - b - 1", -3), ("a ** 2 / b", 1.8), ("7", 7), (7, 7)]
)
def test_precedence_is_pythons(text: object, value: float) -> None:
    assert parse(text)({"a": 3.0, "b": 5.0}) == value


@settings(deadline=None, max_examples=30)
@given(sizes, sizes)
def test_tensors_keep_their_gradient(a: float, b: float) -> None:
    expression = parse_expression("(a + 2 * b) / a - b ** 2", ("a", "b"), "here")
    point = [torch.tensor([value], dtype=torch.float64, requires_grad=True) for value in (a, b)]
    assert torch.autograd.gradcheck(
        lambda x, y: torch.as_tensor(expression({"a": x, "b": y})),
        point,
        eps=1e-7 * min(a, b),
        rtol=1e-5,
        atol=1e-5,
    )


def test_tensors_broadcast() -> None:
    found = parse("a * b")({"a": torch.ones(3, 1), "b": torch.arange(2.0)})
    assert torch.equal(torch.as_tensor(found), torch.arange(2.0).expand(3, 2))


def test_a_lone_name_is_a_parameter() -> None:
    assert parse_expression("a", ("a",), "here").parameter == "a"
    assert parse_expression("a * 1", ("a",), "here").parameter is None
    assert parse_expression("a * b", ("a", "b"), "here").names == {"a", "b"}


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "a.b",
        "a if b else 1",
        "[a]",
        "lambda: a",
        "a; b",
        "1j",
        "",
        "a b",
        "a\x00",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(AcceleratorError, match=r"^here: ") as caught:
        parse(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *["-a", "+a", "1e400 * a", "1 / (1 - 1)", "(1 - 2) ** 0.5", "9e9 ** 9e9"],
        *["a + 1 / (1 - 1)", "(1 - 2) ** 0.5 * b", "b - 10 ** 400"],
    ],
)
def test_signs_and_values_that_are_not_finite_are_refused(text: str) -> None:
    with pytest.raises(AcceleratorError, match=r"^here: "):
        parse(text)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, -0.5])
def test_numbers_must_be_finite_and_not_negative(value: float) -> None:
    with pytest.raises(AcceleratorError, match=r"^here: "):
        parse(value)
