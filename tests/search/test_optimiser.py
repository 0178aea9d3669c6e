"""The optimiser by itself, on losses whose least value is known."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from tilegrad.search import Budget
from tilegrad.search.gradient.optimiser import Descended, Groups, Momentum, Point, Status, Stop

TARGET = torch.tensor([0.25, 3.0, -2.0], dtype=torch.float64)
STARTS = torch.tensor([[1.0, 1.0, 1.0], [0.0, 2.0, 0.5]], dtype=torch.float64)
OPTIMISER = Momentum(steps=200, learning_rate=0.1, momentum=0.8)
EVER = 1_000


def distance(values: Tensor, _: float) -> Tensor:
    """Return the squared distance ``[start]`` from the target."""
    return (values - TARGET).square().sum(-1)


def box(values: Tensor) -> Tensor:
    return values.clamp(0.0, 1.0)


@pytest.fixture(scope="module")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def begun() -> Point:
    return Point(STARTS, torch.zeros_like(STARTS))


def descended(threads: ThreadPoolExecutor, stop: Stop, size: int = 2) -> Descended:
    return OPTIMISER.minimise(distance, box, begun(), stop, Groups(size, threads))


def test_it_ends_at_the_least_value_within_the_bounds(threads: ThreadPoolExecutor) -> None:
    found = descended(threads, Stop(EVER, Budget()))
    assert found.status is Status.DONE
    assert found.point.step == OPTIMISER.steps
    assert torch.allclose(found.point.values, box(TARGET).expand(2, 3), atol=1e-6)


def test_pauses_and_groups_change_nothing(threads: ThreadPoolExecutor) -> None:
    whole = descended(threads, Stop(EVER, Budget()))
    paused, statuses = begun(), []
    while not statuses or statuses[-1] is Status.PAUSED:
        stop = Stop(37, Budget())
        part = OPTIMISER.minimise(distance, box, paused, stop, Groups(1, threads))
        paused = part.point
        statuses.append(part.status)
    assert statuses == [Status.PAUSED] * 5 + [Status.DONE]
    assert torch.equal(paused.values, whole.point.values)
    assert torch.equal(paused.velocity, whole.point.velocity)


def test_out_of_time_is_the_last_whole_step(threads: ThreadPoolExecutor) -> None:
    """The clock passes the budget while the second of two groups of the fourth step waits."""
    asked = 0

    def clock() -> float:
        nonlocal asked
        asked += 1
        return 0.0 if asked <= 1 + 3 * 2 + 1 else 10.0

    budget = Budget(seconds=1.0, clock=clock).begin()
    with ThreadPoolExecutor(1) as one:
        cut = descended(one, Stop(EVER, budget), size=1)
    assert (cut.status, cut.point.step) == (Status.OUT_OF_TIME, 3)
    assert torch.equal(cut.point.values, descended(threads, Stop(3, Budget())).point.values)


def test_gradients_that_are_no_numbers_move_nothing(threads: ThreadPoolExecutor) -> None:
    def broken(values: Tensor, share: float) -> Tensor:
        return distance(values, share) + (values[:, :1] * 0).sqrt().sum(-1) * torch.inf

    found = OPTIMISER.minimise(broken, box, begun(), Stop(3, Budget()), Groups(2, threads)).point
    assert torch.equal(found.values[:, 0], STARTS[:, 0])
    assert not torch.equal(found.values[:, 1:], STARTS[:, 1:])
