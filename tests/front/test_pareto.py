"""Fronts and hypervolumes against their definitions."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilegrad.front.pareto import hypervolume, nondominated

SIDE = 5
"""Coordinates are whole numbers below this, so that a box is so many unit cubes."""


def points(figures: int) -> st.SearchStrategy[list[tuple[int, ...]]]:
    coordinate = st.integers(0, SIDE)
    return st.lists(st.tuples(*[coordinate] * figures), min_size=1, max_size=6)


@pytest.mark.parametrize("figures", [1, 2, 3])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_hypervolume_counts_the_unit_cubes_that_a_point_dominates(
    figures: int, data: st.DataObject
) -> None:
    found = data.draw(points(figures))
    cubes = sum(
        any(all(p <= corner for p, corner in zip(point, cube, strict=True)) for point in found)
        for cube in product(range(SIDE), repeat=figures)
    )
    assert hypervolume(found, [SIDE] * figures) == pytest.approx(cubes)


@given(found=points(3))
@settings(max_examples=60, deadline=None)
def test_what_is_left_out_is_dominated_and_what_is_kept_is_not(
    found: list[tuple[int, ...]],
) -> None:
    kept = nondominated(found)
    values = [found[place] for place in kept]
    assert len(set(values)) == len(values)
    for point in found:
        by = [v for v in values if all(a <= b for a, b in zip(v, point, strict=True))]
        assert by
        assert point not in values or by == [point]
