"""Rows worked out a few at a time are what they are all at once, to the last bit."""

from __future__ import annotations

import torch

from tests.helpers import gemmini, generator
from tilegrad.predictors.checkpoint import load_predictor
from tilegrad.predictors.parts import AT_ONCE, in_parts
from tilegrad.pretrained import checkpoint_path


def test_parts_are_the_whole() -> None:
    predictor = load_predictor(checkpoint_path("gemmini_rtl"), gemmini()).double()
    span = predictor.highest - predictor.lowest
    share = torch.rand(AT_ONCE + 77, len(span), generator=generator(0), dtype=torch.float64)
    rows = predictor.lowest + span * share
    asked: list[int] = []

    def counted(part: torch.Tensor) -> torch.Tensor:
        asked.append(len(part))
        return predictor(part)

    with torch.no_grad():
        assert torch.equal(in_parts(counted, rows), predictor(rows))
    assert asked == [AT_ONCE, 77]
    # With a gradient, the graph is one.
    in_parts(counted, rows.requires_grad_())
    assert asked[2:] == [AT_ONCE + 77]
