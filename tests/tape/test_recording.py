"""Recorded tensor operations and their gradients agree with autograd's to the last bit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.helpers_tape import interpreted
from tilegrad.tape import kernel
from tilegrad.tape.errors import NotRecordableError
from tilegrad.tape.recording import SAMPLED_ORDERS, Sample, recorded
from tilegrad.tape.runner import Runner
from tilegrad.tape.summing import Order

Function = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Makes ``[start, layer, order, column]`` of factors ``[start, layer, 1, factor]``, figures of
layers ``[layer, 1, figure]`` and of their orders ``[layer, order, figure]``."""

STARTS, LAYERS, ORDERS = 3, 2, 5
GENERATOR = torch.Generator().manual_seed(0)
FACTORS = 1 + 7 * torch.rand(STARTS, LAYERS, 4, generator=GENERATOR, dtype=torch.float64)
GIVEN = torch.tensor([[2.0, 7.0, 12.0], [1.0, 3.0, 18.0]], dtype=torch.float64)
ORDERED = torch.stack(
    [torch.randperm(4, generator=GENERATOR) for _ in range(LAYERS * ORDERS)]
).view(LAYERS, ORDERS, 4)


def products(factors: Tensor, given: Tensor, ordered: Tensor) -> Tensor:
    one, other, third, last = factors.unbind(-1)
    per_order = one * (ordered[..., 0] + 1.5) / other - 2 * third
    return torch.stack([per_order * given[..., 0], per_order - last + 0 * one, -per_order], -1)


def chosen(factors: Tensor, given: Tensor, ordered: Tensor) -> Tensor:
    found = factors.movedim(-1, 0).expand(4, STARTS_OF[len(factors)], *ordered.shape[:-1])
    index = ordered.movedim(-1, 0).unsqueeze(1).expand_as(found)
    inner = found.gather(0, index).flip(0)
    walked = torch.cat([inner[:1], inner[1:] * inner[:-1]])
    return (walked * given[..., 0]).movedim(0, -1)


STARTS_OF = {1: 1, STARTS: STARTS}


def comparisons(factors: Tensor, given: Tensor, ordered: Tensor) -> Tensor:
    one, other, third, last = factors.unbind(-1)
    order = ordered[..., 1].to(torch.int8)
    there = ((order == 1) | (one > other)) & ~(third <= 2) ^ (last >= given[..., 0])
    moved = torch.where(there, torch.minimum(one, other * order), (third - last).abs())
    held = moved.clamp(0.5, 6).masked_fill(order == 3, 4.0) + torch.maximum(one, last)
    most = torch.stack(torch.broadcast_tensors(held, moved, third)).amax(0)
    return torch.stack([held, most, (moved != one).double() * other + (one < third)], -1)


def whole_numbers(factors: Tensor, given: Tensor, ordered: Tensor) -> Tensor:
    steps = (factors.detach()[..., 0] * 10).round().to(torch.int64)
    length = (given[..., 2] * (ordered[..., 0] + 1)).to(torch.int64)
    divisor = torch.gcd(steps, length).clamp(min=1)
    repeats = (factors[..., 1] - length // divisor).clamp(min=0)
    return torch.stack([factors[..., 2] * length - repeats, repeats + steps], -1)


def in_place(factors: Tensor, given: Tensor, ordered: Tensor) -> Tensor:
    found = factors * ordered
    found[..., 1] += factors[..., 0]
    found.mul_(given[..., :1])
    return found[..., :3]


def over_positions(factors: Tensor, given: Tensor, ordered: Tensor) -> Tensor:
    """One factor against figures of several positions and orders: both are summed over."""
    places = ordered.movedim(-1, 0).unsqueeze(1) * factors[..., 0] * given[..., 1]
    whole = places.sum(0)
    return torch.stack([*places.unbind(0), whole, factors[..., 3].expand_as(whole)], -1)


FUNCTIONS = (products, chosen, comparisons, whole_numbers, in_place, over_positions)


def runner(function: Function, orders: int = ORDERS) -> Runner:
    """Record a function on a sample that shares no figure with what it is compared at."""
    layer = torch.tensor([[30.0, 5.0, 7.0]], dtype=torch.float64)
    ordered = torch.arange(4).repeat(1, SAMPLED_ORDERS, 1)
    sample = Sample(
        torch.tensor([[[1.5, 2.25, 3.5, 4.75]]], dtype=torch.float64),
        [layer],
        ordered,
        lambda factors: [function(factors.unsqueeze(-2), layer.unsqueeze(-2), ordered)] * 5,
        orders,
        [frozenset(range(4))] * 4,
    )
    return Runner(recorded(sample), GIVEN, ORDERED[:, :orders])


def found(parts: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """Return a function's figures and its gradient."""
    factors = FACTORS.clone().requires_grad_(True)
    values = parts(factors)
    weights = torch.rand(values.shape, generator=GENERATOR.manual_seed(1), dtype=torch.float64)
    return values, torch.autograd.grad(values, factors, weights)[0]


@pytest.fixture
def _interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "run", interpreted)


@pytest.mark.usefixtures("_interpreted")
@pytest.mark.parametrize("orders", [1, 3, ORDERS])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.__name__)
def test_figures_and_gradients(function: Function, orders: int) -> None:
    ordered = ORDERED[:, :orders]
    expected = found(lambda each: function(each.unsqueeze(-2), GIVEN.unsqueeze(-2), ordered))
    machine = runner(function, orders)
    assert all(map(torch.equal, found(lambda each: machine(each)[2]), expected))


@pytest.mark.slow
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.__name__)
def test_machine_code(function: Function) -> None:
    expected = found(lambda each: function(each.unsqueeze(-2), GIVEN.unsqueeze(-2), ORDERED))
    machine = runner(function)
    assert all(map(torch.equal, found(lambda each: machine(each)[0]), expected))


def logarithm(factors: Tensor, _: Tensor, ordered: Tensor) -> Tensor:
    return factors.log() * ordered


def largest_of_orders(factors: Tensor, _: Tensor, ordered: Tensor) -> Tensor:
    return (factors * ordered).amax(-2, keepdim=True) * ordered


def less_the_sum(factors: Tensor, _: Tensor, ordered: Tensor) -> Tensor:
    each = factors * ordered
    return each - each.sum(-2, keepdim=True)


@pytest.mark.parametrize("function", [logarithm, largest_of_orders, less_the_sum])
def test_what_cannot_be_recorded(function: Function) -> None:
    with pytest.raises(NotRecordableError):
        runner(function)


@pytest.mark.parametrize("contiguous", [True, False])
@pytest.mark.parametrize("count", [*range(1, 20), 36, 60])
def test_sums_are_added_as_tensors_add_them(count: int, contiguous: bool) -> None:
    def added(tree: object) -> Tensor:
        if isinstance(tree, int):
            return values[..., tree]
        one, other = tree  # type: ignore[misc]
        return added(one) + added(other)

    generator = torch.Generator().manual_seed(count)
    stored = torch.randn(9, 40, count, 1 if contiguous else 2, generator=generator).double() / 3
    values = stored[..., 0]
    assert torch.equal(added(Order.of(count, contiguous).tree), values.sum(-1))


def test_unknown_ways_of_adding_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tilegrad.tape.summing._ways", lambda places: [(places[0], places[1])])
    with pytest.raises(NotRecordableError, match="sums of 27 figures"):
        Order.of(27, True)
