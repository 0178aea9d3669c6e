"""The contract of every differentiable model of mappings: inherit, and name the function.

``class TestMyModel(DifferentiableModel): evaluate = staticmethod(my_function)``
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from hypothesis import HealthCheck, given, settings
from torch import Tensor

from tests.helpers import (
    gemmini,
    generator,
    integer_mappings,
    random_orders,
    random_strides,
    relaxed_mappings,
    seeds,
)
from tilegrad.accelerator import Accelerator
from tilegrad.mapping import LoopNest

Quantities = dict[str, Tensor]

ROWS = 5
STEP = 1e-5
"""Relative step of the central differences."""

# Generic values lie off the ties; the same ones in every run, so that none comes too close by luck.
contract = settings(
    deadline=None,
    derandomize=True,
    max_examples=5,
    suppress_health_check=[HealthCheck.differing_executors],
)


class DifferentiableModel:
    """A model ``evaluate(mapping, strides)`` that gives named quantities of each mapping.

    Quantities ``[...]`` broadcast to the batch of ``mapping [..., level, dim]`` and
    ``strides [..., 4]``; ``"L1 Outputs reads"`` is of the group ``"L1 Outputs"``.
    ``accelerator`` says where loops may lie.
    """

    evaluate: Callable[[LoopNest, Tensor], Quantities]
    accelerator: Accelerator = gemmini()
    rounding: float = 0.0
    """Relative difference that the size of a batch may make; matrix products round by it."""

    @contract
    @given(seed=seeds)
    def test_gradient_is_that_of_central_differences(self, seed: int) -> None:
        mapping, strides = self._relaxed(seed, rows=1)
        sides = [self._values(_perturbed(mapping, sign * STEP), strides) for sign in (1, -1)]
        point = mapping.each(lambda tensor: tensor[0])
        factors = _factors(point).requires_grad_()
        free = factors != 1
        values = self._values(_with_factors(point, factors), strides[0])
        for name, gradient in zip(values, _jacobian(values, factors), strict=True):
            above, below = (side[name] for side in sides)
            slope = (above - below) / (2 * STEP * factors.detach())
            floor = (
                max(4e-16, self.rounding) * _largest_term(values, name) / (STEP * factors.detach())
            )
            error = (gradient - slope).abs()[free]
            assert (error <= 1e-6 * gradient.abs()[free] + floor[free]).all(), name

    @contract
    @given(seed=seeds)
    def test_batched_is_one_by_one(self, seed: int) -> None:
        """Bit for bit, but for ``rounding``; also with others beside it, or without a batch."""
        shuffled = torch.randperm(ROWS, generator=generator(seed))[: ROWS - 1]
        for mapping, strides in (self._relaxed(seed), self._integer(seed)):
            together = self._values(mapping, strides)
            for some in (*range(ROWS), shuffled):
                alone = self._values(mapping[some], strides[some])
                self._same(alone, {name: value[some] for name, value in together.items()})

    @contract
    @given(seed=seeds)
    def test_broadcast_orders_are_expanded_rows(self, seed: int) -> None:
        orders = random_orders((4, len(self.accelerator.levels)), generator(seed))
        for mapping, strides in (self._relaxed(seed), self._integer(seed)):
            crossed = LoopNest(mapping.temporal[:, None], mapping.spatial[:, None], orders)
            every = mapping.each(lambda tensor: tensor.repeat_interleave(4, 0))
            rows = LoopNest(every.temporal, every.spatial, orders.repeat(ROWS, 1, 1))
            flat = self._values(rows, strides.repeat_interleave(4, 0))
            grid = self._values(crossed, strides[:, None])
            self._same({name: value.flatten() for name, value in grid.items()}, flat)

    @contract
    @given(seed=seeds)
    def test_relaxed_at_integers_is_the_integer_model(self, seed: int) -> None:
        mapping, strides = self._integer(seed)
        free = LoopNest(
            mapping.temporal.clone().requires_grad_(),
            mapping.spatial.clone().requires_grad_(),
            mapping.order,
        )
        relaxed = self._values(free, strides)
        self._same(relaxed, self._values(mapping, strides))
        total = torch.stack(list(relaxed.values())).sum()
        for gradient in torch.autograd.grad(total, (free.temporal, free.spatial)):
            assert gradient.isfinite().all()

    def _same(self, found: Quantities, expected: Quantities) -> None:
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, rtol=self.rounding, atol=0, msg=name)

    def _values(self, mapping: LoopNest, strides: Tensor) -> Quantities:
        values = self.evaluate(mapping, strides)
        return {name: value.expand(mapping.batch_shape) for name, value in values.items()}

    def _relaxed(self, seed: int, rows: int = ROWS) -> tuple[LoopNest, Tensor]:
        source = generator(seed)
        absent = torch.rand((), generator=source).item() * 0.7
        mapping = relaxed_mappings(self.accelerator, rows, source, absent)
        return mapping, random_strides(rows, source)

    def _integer(self, seed: int) -> tuple[LoopNest, Tensor]:
        source = generator(seed)
        return integer_mappings(self.accelerator, ROWS, source), random_strides(ROWS, source)


def _factors(mapping: LoopNest) -> Tensor:
    """Return all factors of one mapping in one row."""
    return torch.cat([mapping.temporal.flatten(-2), mapping.spatial.flatten(-3)], -1)


def _with_factors(mapping: LoopNest, factors: Tensor) -> LoopNest:
    temporal, spatial = mapping.temporal, mapping.spatial
    batch = factors.shape[:-1]
    parts = factors.split([temporal.numel(), spatial.numel()], -1)
    return LoopNest(
        parts[0].reshape(*batch, *temporal.shape[-2:]),
        parts[1].reshape(*batch, *spatial.shape[-3:]),
        mapping.order,
    )


def _perturbed(mapping: LoopNest, relative: float) -> LoopNest:
    """Return one copy of the mapping per factor, that factor scaled."""
    factors = _factors(mapping)
    scales = 1 + relative * torch.eye(factors.shape[-1], dtype=torch.float64)
    return _with_factors(mapping, factors * scales)


def _jacobian(values: Quantities, factors: Tensor) -> Tensor:
    """Return the gradient of every quantity, ``[quantity, factor]``."""
    stacked = torch.stack(list(values.values())) + 0 * factors.sum()
    each = torch.eye(len(stacked), dtype=torch.float64)
    return torch.autograd.grad(stacked, factors, each, is_grads_batched=True)[0]


def _largest_term(values: Quantities, name: str) -> Tensor:
    """Return the size that rounding errors of a quantity go by: differences are of one group."""
    group = name.rpartition(" ")[0] or name
    return torch.stack([v.detach().abs() for n, v in values.items() if n.startswith(group)]).max()
