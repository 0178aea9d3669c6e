"""Distinct rows against torch's own."""

from __future__ import annotations

import pytest
import torch

from tilegrad.search.distinct import distinct


@pytest.mark.parametrize(
    ("rows", "columns", "most"), [(0, 3, 5), (1, 1, 1), (50, 2, 3), (4000, 40, 2), (999, 9, 700)]
)
def test_rows_are_those_of_unique(rows: int, columns: int, most: int) -> None:
    source = torch.Generator().manual_seed(rows)
    drawn = torch.randint(0, most + 1, (rows, columns), generator=source).double()
    drawn = torch.cat([drawn, drawn[: rows // 2], drawn.flip(0)])
    assert torch.equal(drawn[distinct(drawn)], drawn.unique(dim=0))


def test_each_row_is_its_first_occurrence() -> None:
    rows = torch.tensor([[2.0, 1.0], [1.0, 3.0], [2.0, 1.0], [1.0, 3.0], [1.0, 2.0]])
    assert distinct(rows).tolist() == [4, 1, 0]


@pytest.mark.parametrize("most", [2**20, 2**31, 2**53])
def test_large_numbers_take_no_more_memory_than_rows(most: int) -> None:
    source = torch.Generator().manual_seed(most % 1000)
    drawn = most - torch.randint(0, 5, (500, 3), generator=source).double()
    assert torch.equal(drawn[distinct(drawn)], drawn.unique(dim=0))


def test_more_columns_than_one_word_holds() -> None:
    rows = torch.eye(100, dtype=torch.float64).repeat(2, 1)
    assert distinct(rows).tolist() == list(range(99, -1, -1))
