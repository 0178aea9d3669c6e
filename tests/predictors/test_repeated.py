"""Rows that repeat each other are worked out once."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.helpers import generator
from tilegrad.predictors.features.repeated import FEW, of_distinct


def test_each_row_has_its_own_figures_and_is_asked_for_once() -> None:
    asked: list[int] = []

    def function(rows: Tensor) -> Tensor:
        asked.append(len(rows))
        return torch.stack([rows.prod(-1), rows.sum(-1).log()], -1)

    kinds = torch.rand(40, 5, generator=generator(0), dtype=torch.float64)
    kinds[7] = kinds[3].flip(0)
    rows = kinds[torch.randint(len(kinds), (8 * FEW,), generator=generator(1))]
    assert torch.equal(of_distinct(function, rows), function(rows))
    assert asked[0] == len(rows.unique(dim=0))
    # All different, and few: asked for as they are.
    many = torch.rand(2 * FEW, 5, generator=generator(2), dtype=torch.float64)
    assert torch.equal(of_distinct(function, many), function(many))
    assert torch.equal(of_distinct(function, rows[:9]), function(rows[:9]))
    assert asked[2::2] == [2 * FEW, 9]


def test_rows_of_equal_sums_are_not_taken_for_each_other() -> None:
    """Weights that cannot tell them apart: a column that is not a number."""
    rows = torch.full((4 * FEW, 3), torch.inf, dtype=torch.float64)
    rows[:, 0] = torch.arange(4 * FEW) % 2
    found = of_distinct(lambda each: each[:, :1] + 1, rows)
    assert found.flatten().tolist() == [1.0, 2.0] * (2 * FEW)
