"""Lines that are missed together, against tiles and commands that miss them one by one."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch
from torch import Tensor

from tilegrad.machines.gemmini.bursts import bursts
from tilegrad.machines.gemmini.counts import Counts

TILES, REQUESTS, MOVES = 4096, 8, 2
"""Requests and load commands are those of one tensor in one tile."""


def found(inputs: float, weights: float, requests: tuple[float, float], moves: int) -> Tensor:
    one = torch.ones((), dtype=torch.float64)
    counts = Counts(**{field.name: one for field in fields(Counts)})
    whole = {
        "tiles": TILES,
        "input_requests": TILES * requests[0],
        "weight_requests": TILES * requests[1],
        "input_moves": TILES * moves,
        "weight_moves": TILES * moves,
    }
    for name, count in whole.items():
        object.__setattr__(counts, name, one * count)
    return bursts(counts, one * inputs, one * weights).exp()


@pytest.mark.parametrize("each", [1, 2, 4, 16])
def test_a_tensor_kept_by_a_cache_is_fetched_by_few_tiles(each: int) -> None:
    """Every so many-th tile misses with all its requests, the others with none."""
    lines = TILES * REQUESTS / each
    tiles, *_ = found(lines, 1e-3, (REQUESTS, REQUESTS), MOVES)
    assert float(tiles) == pytest.approx(TILES / each, rel=1e-3)


def test_two_tensors_miss_in_as_many_tiles_as_have_the_same_variance() -> None:
    random = torch.Generator().manual_seed(0)
    many = 400_000
    inputs = (torch.rand(many, generator=random) < 0.25).double() * 8
    weights = (torch.rand(many, generator=random) < 0.5).double() * 4
    lines = inputs + weights
    expected = TILES * lines.mean() ** 2 / lines.square().mean()
    tiles, *_ = found(TILES * 2, TILES * 2, (8, 4), MOVES)
    torch.testing.assert_close(tiles, expected, rtol=5e-3, atol=0)


@pytest.mark.parametrize("missed", [0.05, 1.0, 4.0, 16.0, 64.0])
def test_commands_wait_once_for_what_is_under_way_together(missed: float) -> None:
    """Lines fall on commands at random; places are taken in turn, and sixteen are under way."""
    random = torch.Generator().manual_seed(1)
    drawn = torch.poisson(torch.full((200_000,), missed).double(), generator=random)
    expected = ((drawn > 0) * (1 + (drawn - 1) / 16)).mean()
    # All requests miss, so that lines lie in all tiles.
    lines = TILES * MOVES * missed
    _, waits, none = found(lines, 1e-3, (MOVES * missed, 1), MOVES)
    each = float(waits) / (TILES * MOVES)
    assert each == pytest.approx(float(expected), rel=0.03)
    assert float(none) == pytest.approx(1e-3, rel=0.1)
