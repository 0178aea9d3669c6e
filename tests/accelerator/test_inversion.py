"""Expressions solved for a parameter: exactly, with gradients; and whether they grow with it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tilegrad.accelerator.expression import Expression, parse_expression, values
from tilegrad.accelerator.inversion import direction, inverted, occurrences

NAMES = ("x", "y", "z")
FORMS = (
    "x", "2 * x", "x / 8", "x - 1 / 8", "x + y", "y + 3 * x", "x * y", "y * z * x", "x / y",
    "x ** 2", "x ** 0.5", "2 ** (x / 64)", "y * (x + z) / 4", "(x * 1024 / 3) / (y * z)",
    "9 - 1 / x", "9 - y / x ** 2",
)  # fmt: skip
"""Expressions that grow with ``x``, which they hold once."""

sizes = st.floats(1.5, 60)


def parsed(text: str) -> Expression:
    return parse_expression(text, NAMES, "here")


@pytest.mark.parametrize("text", FORMS)
@settings(deadline=None, max_examples=25)
@given(x=sizes, y=sizes, z=sizes)
def test_an_inverse_gives_back_what_made_the_value(text: str, x: float, y: float, z: float) -> None:
    expression = parsed(text)
    value = values(expression, {"x": x, "y": y, "z": z})
    assert float(inverted(expression, "x", value, {"y": y, "z": z})) == pytest.approx(x, rel=1e-8)


@pytest.mark.parametrize("text", FORMS)
def test_gradients_of_an_inverse_are_finite_differences(text: str) -> None:
    expression = parsed(text)
    made = {"x": torch.tensor(7.3), "y": torch.tensor(2.5), "z": torch.tensor(3.1)}
    made = {name: size.double() for name, size in made.items()}

    def solve(value: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        # Adding nothing, so that each input has a gradient.
        return inverted(expression, "x", value, {"y": y, "z": z}) + 0 * (y + z)

    inputs = (values(expression, made), made["y"], made["z"])
    assert torch.autograd.gradcheck(solve, [each.clone().requires_grad_() for each in inputs])


@pytest.mark.parametrize("text", FORMS)
def test_what_grows_is_found_to_grow(text: str) -> None:
    assert direction(parsed(text), "x", dict.fromkeys(NAMES, 1.0)) == 1
    assert occurrences(parsed(text), "x") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y", 0),
        ("x / x", 0),
        ("x ** 0", 0),
        ("8 / x", -1),
        ("64 - x", -1),
        ("y / x ** 2", -1),
        ("x * (64 - x)", None),
        ("x + 100 / x", None),
        ("(x + y ** 2) / y", 1),
    ],
)
def test_what_falls_stays_or_does_both_is_told_apart(text: str, expected: int | None) -> None:
    assert direction(parsed(text), "x", dict.fromkeys(NAMES, 1.0)) == expected


def test_values_that_are_no_sizes_do_not_count() -> None:
    """Below 8 there is no size; ``1 / 0`` is none either."""
    assert direction(parsed("x - 8"), "x", dict.fromkeys(NAMES, 1.0)) == 1
    assert direction(parsed("9 - 1 / (x - 1)"), "x", dict.fromkeys(NAMES, 1.0)) == 1
    assert occurrences(parsed("x * (y + x)"), "x") == 2
