"""A search by DOSA's algorithm, unit by unit: starts, steps of Adam, roundings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from tilegrad.mapping import LoopNest
from tilegrad.search.budget import Budget
from tilegrad.search.dosa.adam import Adam
from tilegrad.search.dosa.relaxed import DirectProblem
from tilegrad.search.dosa.rounding import designs, rounded, stationary_orders
from tilegrad.search.dosa.starts import Starts
from tilegrad.search.gradient.relaxed import RelaxedProblem
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState

STEPS_PER_UNIT = 20

WORSE = 10.0
"""A start whose loss is so many times that of the best one before it is drawn anew."""

MOST_DRAWN = 10
"""So many times the starts that are asked for are drawn at most."""


@dataclass(frozen=True)
class Plan:
    """How much is done: ``starts``, each of ``steps``, rounded every ``round_steps`` of them.

    ``rate``: Adam's. ``reorder``: whether roundings try DOSA's orders of the outermost level.
    """

    starts: int
    steps: int
    round_steps: int
    rate: float
    reorder: bool


class DosaRun:
    """One search: its units of work, each leading from one saved state to the next."""

    def __init__(
        self, plan: Plan, problem: SearchProblem, state: SearchState, budget: Budget
    ) -> None:
        self.plan = plan
        self.problem = problem
        self.state = state
        self.budget = budget

    @cached_property
    def direct(self) -> DirectProblem:
        """What descends."""
        problem = self.problem
        return DirectProblem(
            RelaxedProblem.of(
                problem.tables, problem.workload, problem.hardware, problem.goal, problem.model
            )
        )

    @cached_property
    def units(self) -> Tensor:
        """What one is of each factor, ``[layer, slot]``."""
        return self.direct.units()

    def begin(self, starts: Starts) -> None:
        """Draw one more start; the smallest mappings are the first design."""
        if not self.state.samples:
            self.state.offer(self.problem.smallest(), self.problem)
            self._count(1)
            self.state.private = {"drawn": 0, "factors": [], "orders": [], "scales": []}
        self.budget.check()
        private = dict(self.state.private)
        design, mappings = starts.draw(private["drawn"])
        self.state.offer(design, self.problem)
        self.state.count(mappings, len(self.problem.tables))
        factors, orders = self._relaxed(design)
        scale = float(self.direct.loss(factors, orders.unsqueeze(2))[1])
        private["drawn"] += 1
        if scale <= WORSE * min([*private["scales"], scale]):
            for name, value in (("factors", factors), ("orders", orders), ("scales", scale)):
                private[name] = [*private[name], value]
        self.state.private = private
        if self.plan.starts in (len(private["scales"]), private["drawn"] // MOST_DRAWN):
            self._descend_from(private)

    def _descend_from(self, drawn: dict[str, Any]) -> None:
        self.state.private = {
            "adam": Adam.begin(torch.cat(drawn["factors"]) / self.units).pack(),
            "orders": torch.cat(drawn["orders"]),
            "scales": torch.tensor(drawn["scales"], dtype=torch.float64),
        }
        self.state.phase = "descend"

    def _relaxed(self, design: LoopNest) -> tuple[Tensor, Tensor]:
        """Return a design's factors ``[1, layer, slot]`` and orders ``[1, layer, level, dim]``."""
        nests = design.each(lambda tensor: tensor[0])
        factors = torch.ones(len(self.problem.tables), self.direct.relaxed.slots).double()
        for layer, table in enumerate(self.problem.tables):
            factors[layer, : len(table.space.slots)] = table.factors(nests[layer])
        return factors.unsqueeze(0), design.order

    def descend(self) -> None:
        """Take some steps with all starts; round them where it is time to."""
        private = self.state.private
        adam, orders, scales = Adam(*private["adam"]), private["orders"], private["scales"]
        before, each = adam.step, self.plan.round_steps
        end = min(before + STEPS_PER_UNIT, self.plan.steps, before - before % each + each)
        while adam.step < end:
            self.budget.check()
            adam = adam.after(self._gradient(adam.values, orders, scales), self.plan.rate)
        self._count(len(scales) * (end - before))
        if end % each == 0 or end == self.plan.steps:
            factors, orders = self._rounded(adam.values * self.units, orders)
            adam = adam.at(factors / self.units)
        self.state.private = {"adam": adam.pack(), "orders": orders, "scales": scales}
        self.state.fraction = end / self.plan.steps
        self.state.done = end == self.plan.steps

    def _gradient(self, values: Tensor, orders: Tensor, scales: Tensor) -> Tensor:
        """Return each start's gradient of its loss, which is 1 where it began but for penalties."""
        values = values.detach().requires_grad_(True)
        loss, _ = self.direct.loss(values * self.units, orders.unsqueeze(2))
        (found,) = torch.autograd.grad((loss / scales).sum(), values)
        return found.nan_to_num(0.0, 0.0, 0.0)

    def _rounded(self, factors: Tensor, orders: Tensor) -> tuple[Tensor, Tensor]:
        """Return the nearest legal factors with their best orders; offer the designs."""
        whole = torch.ones_like(factors)
        for layer, table in enumerate(self.problem.tables):
            self.budget.check()
            slots = len(table.space.slots)
            whole[:, layer, :slots] = rounded(table, factors[:, layer, :slots])
        self._offer(whole, orders)
        if self.plan.reorder:
            orders = self._reordered(whole, orders)
            self._offer(whole, orders)
        return whole, orders

    def _reordered(self, factors: Tensor, orders: Tensor) -> Tensor:
        """Return the best orders of the outermost level, chosen for one layer after the other."""
        tried = self._tried(orders)
        energy, latency, area = self.direct.priced(factors, tried)
        self._count(len(factors) * (tried.shape[2] - 1))
        goal, starts = self.problem.goal, torch.arange(len(factors))
        chosen = torch.zeros(orders.shape[:2], dtype=torch.int64)
        for layer in range(orders.shape[1]):
            figures = []
            for each in range(tried.shape[2]):
                chosen[:, layer] = each
                picked = chosen.unsqueeze(-1)
                used, taken = (x.gather(-1, picked).squeeze(-1) for x in (energy, latency))
                figures.append(goal.value(goal.totals(used), goal.totals(taken), area))
            chosen[:, layer] = torch.stack(figures, -1).argmin(-1)
        layers = torch.arange(orders.shape[1])
        return tried[starts[:, None], layers, chosen]

    def _tried(self, orders: Tensor) -> Tensor:
        """Return orders ``[start, layer, order, level, dim]``: as they are, then DOSA's three."""
        tried = orders.unsqueeze(2).repeat(1, 1, 4, 1, 1)
        for layer, table in enumerate(self.problem.tables):
            still = stationary_orders(table.space.accelerator.shape)
            tried[:, layer, 1:, -1, : still.shape[-1]] = still
        return tried

    def _offer(self, factors: Tensor, orders: Tensor) -> None:
        self.state.offer(designs(self.problem.tables, factors, orders), self.problem)
        self._count(len(factors))

    def _count(self, whole: int) -> None:
        """Count evaluations of whole designs."""
        layers = len(self.problem.tables)
        self.state.count(whole * layers, layers)
