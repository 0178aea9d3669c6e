"""Distinct tiles of instances spread along both dims of one sliding axis, counted out."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from tilegrad.nest.spread import distinct_tiles
from tilegrad.shape import Axis, Term

few = st.integers(1, 7)


@given(counts=st.tuples(few, few), steps=st.tuples(few, few))
def test_tiles_that_begin_at_one_place_are_one(
    counts: tuple[int, int], steps: tuple[int, int]
) -> None:
    """Also where the steps have a common divisor, so that many pairs coincide."""
    places = {i * steps[0] + j * steps[1] for i in range(counts[0]) for j in range(counts[1])}
    spatial, apart = (
        {dim: torch.tensor(float(value), dtype=torch.float64) for dim, value in enumerate(values)}
        for values in (counts, steps)
    )
    one = torch.ones((), dtype=torch.float64)
    assert distinct_tiles(spatial, apart, [Axis((Term(0), Term(1)))], one) == len(places)
