"""Shapes that broadcast, as torch's own tensors do."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tilegrad.mapping.batch import broadcast_shapes

SHAPES = st.lists(st.lists(st.sampled_from((0, 1, 2, 3)), max_size=4), min_size=1, max_size=4)


@given(SHAPES)
def test_shapes_broadcast_as_tensors_do(shapes: list[list[int]]) -> None:
    try:
        expected = torch.broadcast_tensors(*map(torch.empty, shapes))[0].shape
    except RuntimeError:
        with pytest.raises(ValueError, match="broadcast"):
            broadcast_shapes(*shapes)
    else:
        assert broadcast_shapes(*shapes) == expected
        assert isinstance(broadcast_shapes(*shapes), torch.Size)
