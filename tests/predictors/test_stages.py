"""What queues let through, against commands that pass through them one by one."""

from __future__ import annotations

from math import log

import pytest
import torch

from tests.helpers import gemmini
from tilegrad.predictors.features import feature_set
from tilegrad.predictors.stages import COLUMNS, executing, loading

COMMANDS = 2_000
COSTS = [(2.0, 50.0), (10.0, 50.0), (16.0, 16.0), (64.0, 30.0), (64.0, 1.0)]


def each(serving: float, waiting: float, places: int) -> float:
    """Return the cycles that each of many commands takes.

    A command enters when one of ``places`` is free, waits on its own, and is then served after the
    one before it.
    """
    ends: list[float] = []
    for command in range(COMMANDS):
        enters = ends[command - places] if command >= places else 0.0
        before = ends[-1] if ends else 0.0
        ends.append(max(enters + waiting, before) + serving)
    return ends[-1] / COMMANDS


@pytest.mark.parametrize(("moving", "waiting"), COSTS)
@pytest.mark.parametrize(("side", "places"), [(4, 5), (8, 3), (16, 2), (32, 1), (64, 1)])
def test_loads_wait_for_each_other_where_few_are_tracked(
    moving: float, waiting: float, side: int, places: int
) -> None:
    found = loading(torch.tensor(moving), torch.tensor(waiting), torch.tensor(log(side)))
    expected = each(moving, waiting, places)
    # A smooth maximum of two is at most this much more than the larger one.
    assert 0.99 * expected < float(found) < 2**0.25 * 1.01 * expected


@pytest.mark.parametrize(("serving", "waiting"), COSTS)
def test_computes_wait_for_each_other_where_the_station_is_full(
    serving: float, waiting: float
) -> None:
    nothing = torch.tensor(1e-6)
    rows, waits = torch.tensor(serving), torch.tensor(serving + waiting)
    expected = each(serving, waiting, 8)
    for served in ((rows, nothing), (nothing, rows)):
        found = float(executing(*served, waits))
        assert 0.99 * expected < found < 2**0.125 * 1.01 * expected


def test_the_stages_are_made_of_columns() -> None:
    names = [column.name for column in feature_set("commands").schema(gemmini())]
    assert set(COLUMNS) < set(names)
    assert len(COLUMNS) == len(set(COLUMNS))
