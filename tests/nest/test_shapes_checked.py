"""Shapes in signatures are checked while testing (``tests/checked.py``)."""

from __future__ import annotations

import pytest
import torch
from jaxtyping import TypeCheckError

from tests.helpers import gemmini
from tilegrad.mapping import LoopNest, unit_mapping
from tilegrad.nest import analyse


def test_nests_whose_tensors_disagree_are_refused() -> None:
    nest = unit_mapping(4, (3,))
    with pytest.raises(TypeCheckError, match="spatial"):
        LoopNest(nest.temporal, nest.spatial[:, :3], nest.order)
    with pytest.raises(TypeCheckError, match="order"):
        LoopNest(nest.temporal, nest.spatial, nest.order.double())


def test_factors_in_single_precision_are_refused() -> None:
    """They would count inexactly beyond 2**24."""
    nest = unit_mapping(4)
    with pytest.raises(TypeCheckError, match="temporal"):
        LoopNest(nest.temporal.float(), nest.spatial, nest.order)
    with pytest.raises(TypeCheckError, match="strides"):
        analyse(nest, torch.ones(4, dtype=torch.int64), gemmini())
