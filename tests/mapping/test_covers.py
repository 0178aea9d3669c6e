"""Padded factors against enumeration."""

from __future__ import annotations

from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad.mapping.covers import WHOLE, covers, is_awkward, is_cover
from tilegrad.mapping.factors import factorisations


def outer(bound: int, inner: tuple[int, ...]) -> int:
    return next(count for count in range(1, bound + 1) if count * prod(inner) >= bound)


def least(bound: int, factors: tuple[int, ...]) -> bool:
    """Return whether every factor, one less, leaves some of the bound uncovered."""
    return all(
        prod([*factors[:place], factor - 1, *factors[place + 1 :]]) < bound
        for place, factor in enumerate(factors)
        if factor > 1
    )


@given(st.integers(1, 24), st.lists(st.integers(1, 24), max_size=3).map(tuple))
def test_covers_are_all_choices_that_waste_no_factor(bound: int, limits: tuple[int, ...]) -> None:
    every = product(*(range(1, min(bound, limit) + 1) for limit in limits))
    expected = [chosen for chosen in every if least(bound, (*chosen, outer(bound, chosen)))]
    assert list(covers(bound, limits)) == expected
    assert set(factorisations(bound, limits)) <= set(expected)


@given(st.integers(1, 60), st.lists(st.integers(1, 12), min_size=1, max_size=4).map(tuple))
def test_a_cover_is_what_it_says(bound: int, factors: tuple[int, ...]) -> None:
    assert is_cover(bound, factors) == (prod(factors) >= bound and least(bound, factors))


@pytest.mark.parametrize("bound", [1031, 4999, 50_257, 1_000_003])
def test_large_bounds_are_rounded_up_to_some_bits(bound: int) -> None:
    limits = (16, bound)
    found = covers(bound, limits)
    assert bound > WHOLE
    assert set(factorisations(bound, limits)) <= set(found)
    waste = [prod(chosen) * outer(bound, chosen) / bound for chosen in found]
    assert 1 < min(share for chosen, share in zip(found, waste, strict=True) if 16 in chosen) < 1.02
    assert all(least(bound, (*chosen, outer(bound, chosen))) for chosen in found)


@pytest.mark.parametrize(
    ("bound", "widths", "awkward"),
    [
        (1, (16,), False),
        (64, (16,), False),
        (64, (12,), True),
        (56, (), False),
        (7, (), True),
        (14, (), True),
        (1000, (), False),
        (1000, (125,), False),
        (1000, (16,), True),
        (197, (256,), True),
    ],
)
def test_awkward_bounds(bound: int, widths: tuple[int, ...], awkward: bool) -> None:
    """A mesh of 12 takes 64 in 6 steps, perfect factors in 8; one of 125 takes 1000 as it is."""
    assert is_awkward(bound, widths) == awkward
