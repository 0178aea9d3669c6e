"""The mapspace: factors to mappings and what is left of the bounds."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from tests.helpers import gemmini, generator, plain, random_orders, random_strides, seeds
from tests.helpers_literal import not_proposed
from tilegrad.accelerator import AXES, Accelerator
from tilegrad.cost.footprint import footprint
from tilegrad.mapping import LoopNest
from tilegrad.mapping.factors import divisors, factorisations
from tilegrad.mapping.space import TEMPORAL, MapSpace, Slot
from tilegrad.mapping.validity import find_violations
from tilegrad.nest import analyse
from tilegrad.shape.conv import DIMS, C, K, P, Q, R, S

ACCELERATORS = [gemmini(), plain("timeloop")]
ROWS = 8


def random_points(space: MapSpace, source: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return integer factors ``[ROWS, slot]`` that divide random bounds ``[ROWS, dim]``."""
    bounds = torch.randint(1, 61, (ROWS, len(DIMS)), generator=source)
    factors = torch.ones(ROWS, len(space.slots))
    for row in range(ROWS):
        left = bounds[row].tolist()
        for index in torch.randperm(len(space.slots), generator=source).tolist():
            dim = space.slots[index].dim
            legal = divisors(left[dim])
            pick = legal[torch.randint(len(legal), (), generator=source)]
            factors[row, index] = pick
            left[dim] //= pick
    return factors.double(), bounds.double()


@pytest.mark.parametrize("accelerator", ACCELERATORS, ids=lambda a: a.name)
@settings(deadline=None, max_examples=25)
@given(seed=seeds)
def test_factors_multiply_back_to_the_bounds(accelerator: Accelerator, seed: int) -> None:
    space, source = MapSpace(accelerator), generator(seed)
    factors, bounds = random_points(space, source)
    order = random_orders((ROWS, len(accelerator.levels)), source)
    mapping = space.mapping(factors, bounds, order)
    assert torch.equal(mapping.bounds(), bounds)
    assert not find_violations(mapping, bounds, accelerator)
    assert not any(not_proposed(mapping[row], accelerator) for row in range(ROWS))
    for column, slot in enumerate(space.slots):
        level = mapping.temporal if slot.axis == TEMPORAL else mapping.spatial[:, :, slot.axis]
        assert torch.equal(level[:, slot.level, slot.dim], factors[:, column])
    left = torch.stack(space.outermost(factors, bounds), -1)
    assert torch.equal(mapping.temporal[:, -1], left)
    placed = mapping.temporal[:, :-1].prod(-1).prod(-1) * mapping.spatial.flatten(1).prod(-1)
    assert torch.allclose(placed, factors.prod(-1), rtol=1e-12)


@pytest.mark.parametrize("accelerator", ACCELERATORS, ids=lambda a: a.name)
def test_slots_are_distinct_and_legal(accelerator: Accelerator) -> None:
    space = MapSpace(accelerator)
    assert len(set(space.slots)) == len(space.slots)
    for slot in space.slots:
        level = accelerator.levels[slot.level]
        if slot.axis == TEMPORAL:
            assert slot.dim in level.loops
            assert slot.level < len(accelerator.levels) - 1
        else:
            assert slot.dim in level.fanout[AXES[slot.axis]].dims
    assert sorted(i for slots in space.slots_of for i in slots) == list(range(len(space.slots)))
    assert all(space.slots[i].dim == d for d in range(7) for i in space.slots_of[d])


def test_gemminis_slots_leave_out_what_only_renames_a_loop() -> None:
    """P at the registers moves no Weights: it is the accumulator's innermost P loop."""
    accumulator = {Slot(1, TEMPORAL, dim) for dim in range(len(DIMS))}
    assert set(MapSpace(gemmini()).slots) == accumulator | {Slot(1, 0, C), Slot(2, 0, K)}


def test_loops_that_move_a_kept_tile_stay_in_the_space() -> None:
    """Weights alone at level 0: its loops over P, Q and N are level 1's innermost."""
    slots = MapSpace(plain("timeloop")).slots
    temporal = [{s.dim for s in slots if (s.level, s.axis) == (i, TEMPORAL)} for i in range(4)]
    every = set(range(len(DIMS)))
    assert temporal == [{R, S, C, K}, every, every, set()]


def test_every_published_mapping_of_a_small_layer_has_an_equal_in_the_space() -> None:
    """Splitting P between registers and accumulator changes nothing that costs."""
    space, strides = MapSpace(gemmini()), torch.tensor([2.0, 1.0, 1.0, 1.0], dtype=torch.float64)
    orders = torch.tensor([[*range(7)], [3, 4, 5, 6, 0, 1, 2], [*range(7)], [2, 0, 1, 3, 4, 5, 6]])
    bounds = torch.tensor([3.0, 1, 12, 4, 4, 4, 1], dtype=torch.float64)
    columns = {slot: index for index, slot in enumerate(space.slots)}
    for inner, outer in factorisations(12, (12, 12)):
        merged = torch.ones(len(space.slots), dtype=torch.float64)
        merged[columns[Slot(1, TEMPORAL, P)]] = inner * outer
        merged[columns[Slot(1, TEMPORAL, Q)]] = 2
        found = space.mapping(merged, bounds, orders)
        temporal = found.temporal.clone()
        temporal[0, P], temporal[1, P] = inner, outer
        split = LoopNest(temporal, found.spatial, orders)
        sums = [footprint(analyse(m, strides, gemmini()), gemmini()) for m in (found, split)]
        assert all(
            torch.equal(a, b) for a, b in zip(*(vars(s).values() for s in sums), strict=True)
        )


def test_mappings_broadcast_factors_bounds_and_orders() -> None:
    space, source = MapSpace(gemmini()), generator(2)
    factors, bounds = random_points(space, source)
    orders = random_orders((3, 4), source)
    grid = space.mapping(factors[:, None], bounds[:, None], orders)
    assert grid.batch_shape == (ROWS, 3)
    strides = random_strides(1, source)[0]
    many = analyse(grid, strides, gemmini()).accesses[3]["Inputs"].reads
    for row, order in product(range(ROWS), range(3)):
        one = space.mapping(factors[row], bounds[row], orders[order])
        assert analyse(one, strides, gemmini()).accesses[3]["Inputs"].reads == many[row, order]


def test_the_residual_has_a_gradient() -> None:
    space = MapSpace(gemmini())
    factors = torch.full((len(space.slots),), 1.5, dtype=torch.float64, requires_grad=True)
    bounds = torch.full((7,), 30.0, dtype=torch.float64)
    left = space.mapping(factors, bounds, torch.arange(7).expand(4, 7)).temporal[-1]
    for dim in range(7):
        (gradient,) = torch.autograd.grad(left[dim], factors, retain_graph=True)
        own = list(space.slots_of[dim])
        expected = torch.zeros(len(space.slots), dtype=torch.float64)
        expected[own] = -left[dim].detach() / 1.5
        assert torch.allclose(gradient, expected, rtol=1e-12)
