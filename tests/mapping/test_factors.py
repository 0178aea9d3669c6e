"""Divisors and factorisations against enumeration."""

from __future__ import annotations

from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad.mapping.factors import divisors, factorisations


@given(st.integers(1, 5000))
def test_divisors_are_those_that_divide(bound: int) -> None:
    assert divisors(bound) == tuple(d for d in range(1, bound + 1) if bound % d == 0)


@pytest.mark.parametrize("bound", [1, 2, 36, 49, 2**20, 104729, 2 * 3 * 5 * 7 * 11 * 13])
def test_divisors_pair_up(bound: int) -> None:
    found = divisors(bound)
    assert len(set(found)) == len(found)
    assert [bound // d for d in reversed(found)] == list(found)


@given(st.integers(1, 48), st.lists(st.integers(1, 48), max_size=3).map(tuple))
def test_factorisations_are_all_choices_whose_product_divides(
    bound: int, limits: tuple[int, ...]
) -> None:
    every = product(*(range(1, min(limit, bound) + 1) for limit in limits))
    expected = [choice for choice in every if bound % prod(choice) == 0]
    found = factorisations(bound, limits)
    assert sorted(found) == expected
    assert len(set(found)) == len(found)


def test_no_slots_leave_all_to_the_outermost_level() -> None:
    assert factorisations(12, ()) == ((),)
