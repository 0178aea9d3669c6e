"""Rows that come again are not worked out again, whoever asks and in whatever company."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from tests.helpers import generator
from tilegrad.cost.alike import alike
from tilegrad.predictors.remembered import TOGETHER, Remembered

WEIGHT = torch.rand(5, 3, generator=generator(0), dtype=torch.float64)


class Counted:
    """A function of rows that says how many it was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, rows: Tensor) -> Tensor:
        self.asked.append(len(rows))
        return (rows @ WEIGHT).exp()


def some(count: int, seed: int) -> Tensor:
    return torch.rand(count, 5, generator=generator(seed), dtype=torch.float64)


def test_a_row_is_worked_out_once_and_alike_in_any_company() -> None:
    function = Counted()
    remembered = Remembered(function)
    few, many = some(3, 1), some(2 * TOGETHER, 2)
    found = remembered(few[[0, 2, 0, 1]])
    torch.testing.assert_close(found, Counted()(few[[0, 2, 0, 1]]), rtol=1e-12, atol=0)
    mixed = torch.cat([many, few])
    assert torch.equal(remembered(mixed)[-3:], found[[0, 3, 1]])
    assert torch.equal(remembered(many[5:9]), Remembered(function)(mixed)[5:9])
    assert function.asked == [TOGETHER] * 6


def test_what_is_too_much_is_forgotten_and_found_again() -> None:
    function = Counted()
    remembered, rows = Remembered(function, most=4), some(9, 3)
    for at in (0, 2, 4, 0, 5):
        part = rows[at : at + 3]
        torch.testing.assert_close(remembered(part), Counted()(part), rtol=1e-12, atol=0)
    assert len(function.asked) >= 5


def test_threads_ask_at_the_same_time() -> None:
    rows = some(400, 4)
    remembered = Remembered(Counted(), most=300)
    picked = [torch.randint(400, (50,), generator=generator(seed)) for seed in range(40)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda at: remembered(rows[at]), picked))
    alone = Remembered(Counted())(rows)
    assert all(torch.equal(each, alone[at]) for each, at in zip(found, picked, strict=True))


def test_rows_alike_are_told_by_their_figures() -> None:
    rows = some(4, 5)[torch.tensor([2, 0, 2, 3, 0])]
    first, kind = alike(rows)
    assert (first.tolist(), kind.tolist()) == ([0, 1, 3], [0, 1, 0, 2, 1])
    first, kind = alike(rows[:, :0])
    assert (first.tolist(), kind.tolist()) == ([0], [0] * 5)
