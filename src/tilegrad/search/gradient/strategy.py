"""Mapping-first one-loop search: descend relaxed mappings, round by solving, polish exactly."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor

from tilegrad.checks import positive_int, positive_number
from tilegrad.mapping import LoopNest, stack
from tilegrad.search.budget import Budget, OutOfTimeError
from tilegrad.search.distinct import distinct
from tilegrad.search.gradient.chooser import Chooser, PooledDesign
from tilegrad.search.gradient.descent import Descent, Point
from tilegrad.search.gradient.focus import Focus
from tilegrad.search.gradient.polish import candidates, refine, seeds
from tilegrad.search.gradient.pool import LayerPool, merge
from tilegrad.search.gradient.regions import global_region, local_region
from tilegrad.search.gradient.relaxed import RelaxedProblem
from tilegrad.search.gradient.reorder import reordered
from tilegrad.search.points import hardware_points
from tilegrad.search.problem import CPU, SearchProblem
from tilegrad.search.state import SearchState, generator
from tilegrad.search.tables import LayerTable

DESCENT_SHARE = 0.4
"""Share of a budget that the descent may use; rounding and polishing take the rest."""

ROWS_PER_STEP = 14400
"""Layer mappings in a step of the descent, by default: starts times layers times orders."""

ROUNDING_SHARE = 0.5
"""Share of a budget of seconds after which rounding leaves out the neighbours of leaders."""

STEPS_PER_UNIT = 5
LAYERS_PER_UNIT = 8
LEADERS = 12
"""Starts that are rounded; a few of them already during the descent."""

BASINS = 4
"""Designs with different hardware that polishing follows."""

SLACKS = (0.05, 0.03, 0.02)
"""How far from the best a candidate may be to be kept, in the first rounds of polishing."""

CONVERGED = 1e-4
"""Relative gain of a round below which polishing ends."""


@dataclass(frozen=True)
class GradientStrategy:
    """Gradient descent of many starts, then exact polishing of the best of them.

    ``starts`` and ``polish_rows`` (mappings analysed per round of polishing) default to sizes that
    keep the work independent of the number of layers. ``workers`` threads share the polishing; the
    result does not depend on them.
    """

    starts: int | None = None
    steps: int = 40
    learning_rate: float = 10.0
    momentum: float = 0.8
    polish_rounds: int = 8
    polish_rows: int = 1_000_000
    workers: int | None = None
    name: str = field(default="gradient", init=False)
    needs_gradient: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("steps", "polish_rounds", "polish_rows"):
            positive_int(f"strategy.{name}", getattr(self, name))
        for name in ("starts", "workers"):
            if getattr(self, name) is not None:
                positive_int(f"strategy.{name}", getattr(self, name))
        positive_number("strategy.learning_rate", self.learning_rate)
        positive_number("strategy.momentum", self.momentum, below=1.0)

    def check(self, problem: SearchProblem) -> None:
        """Any problem will do."""

    def advance(
        self, problem: SearchProblem, state: SearchState, budget: Budget, seed: int
    ) -> Iterator[None]:
        """Descend, round, polish; see ``Strategy.advance``."""
        with ThreadPoolExecutor(self.workers or os.cpu_count() or 1) as threads:
            run = GradientRun(self, problem, state, budget, seed, threads)
            while not state.done:
                phase = {"begin": run.begin, "descend": run.descend, "round": run.round}
                phase.get(state.phase, run.polish)()
                yield


class GradientRun:
    """One search: its units of work, each leading from one saved state to the next."""

    def __init__(
        self,
        strategy: GradientStrategy,
        problem: SearchProblem,
        state: SearchState,
        budget: Budget,
        seed: int,
        threads: ThreadPoolExecutor,
    ) -> None:
        self.strategy = strategy
        self.problem = problem
        self.state = state
        self.budget = budget
        self.seed = seed
        self.threads = threads
        self.perfect = replace(problem, padded=False) if problem.padded else problem
        counts = problem.workload.counts
        relaxed = RelaxedProblem.of(
            self.perfect.tables,
            problem.workload,
            problem.hardware,
            problem.objective,
            problem.model,
        ).to(problem.device)
        self.descent = Descent(relaxed, strategy.steps, strategy.learning_rate, strategy.momentum)
        self.chooser = Chooser(problem.hardware, counts, problem.objective, problem.model, budget)

    @property
    def tables(self) -> list[LayerTable]:
        """Each layer's choices: those that divide the bounds first, then padded ones too."""
        return (self.problem if self.state.private.get("padded") else self.perfect).tables

    def begin(self) -> None:
        """Draw the starts; the smallest mappings, legal if any are, are the first design."""
        self.state.offer(self.problem.smallest(), self.problem)
        self._count(len(self.tables))
        starts = self.strategy.starts or max(16, ROWS_PER_STEP // self.descent.rows_per_start)
        self._save_point(self.descent.begin(starts, generator(self.seed)))
        self.state.phase = "descend"

    def descend(self) -> None:
        """Take a few steps with all starts, and round the leaders for the record."""
        point = self._point()
        share = self.budget.part(DESCENT_SHARE)
        with suppress(OutOfTimeError):
            for _ in range(min(STEPS_PER_UNIT, self.strategy.steps - point.step)):
                point = self.descent.advance(point, self.threads, share)
                self._count(len(point.logs) * self.descent.rows_per_start)
        logs, _, orders = self.descent.leaders(point, BASINS, share)
        self._offer_nearest(logs, orders)
        self._save_point(point)
        self.state.fraction = DESCENT_SHARE * point.step / self.strategy.steps
        if point.step >= self.strategy.steps or self.budget.spent(self.state) > DESCENT_SHARE:
            self.state.phase = "round"

    def round(self) -> None:
        """Evaluate the legal neighbours of the leaders, and open the first, global region."""
        point = self._point()
        logs, hardware, _ = self.descent.leaders(point, LEADERS, self.budget.part(ROUNDING_SHARE))
        tables = self.tables
        random = generator(self.seed, len(tables))
        pools = []
        for layer, table in enumerate(tables):
            self.budget.check()
            start = self._rounded(table, logs[:, layer].exp(), random)
            pools.append(candidates(table, start[distinct(start)], self.problem.model))
        self._count(sum(len(pool) for pool in pools))
        # The padded choices begin where the perfect ones ended.
        found = [LayerPool.unpack(tensors) for tensors in self.state.private.get("pools", ())]
        pools = [merge([*pair]) for pair in zip(pools, found, strict=True)] if found else pools
        region = global_region(self.problem, pools, hardware)
        designs = self.chooser.best(pools, region, BASINS)
        self._offer(pools, designs)
        self._open_round(0, pools, self.chooser.focus(pools, region, SLACKS[0]))

    def _rounded(self, table: LayerTable, factors: Tensor, random: torch.Generator) -> Tensor:
        """Return factors ``[row, slot]`` to begin with, near a layer's leaders ``[start, slot]``.

        The smallest mapping, all of it in DRAM, is among them: it fits wherever any does.
        """
        factors, smallest = factors[:, : len(table.space.slots)], table.smallest()
        if self.budget.part(ROUNDING_SHARE).over:
            return torch.cat([table.nearest(factors), smallest])
        return torch.cat([table.neighbours(factors), smallest, seeds(table, random)])

    def polish(self) -> None:
        """Refine a few layers; after the last one choose hardware anew and open the next round."""
        private = self.state.private
        pools = [LayerPool.unpack(tensors) for tensors in private["pools"]]
        focus = self._focus()
        first = private["layer"]
        layers = range(first, min(first + LAYERS_PER_UNIT, len(pools)))
        rows = self.strategy.polish_rows // len(pools)
        tables = self.tables
        refined = self.threads.map(
            lambda layer: refine(tables[layer], pools[layer], focus, rows, self.budget), layers
        )
        for layer, (pool, analysed) in zip(layers, refined, strict=True):
            pools[layer] = pool
            self._count(analysed)
        private["pools"] = [pool.pack() for pool in pools]
        private["layer"] = layers.stop
        if layers.stop == len(pools):
            self._close_round(pools, focus)
        if self.state.phase == "polish":
            self._progress()

    def _close_round(self, pools: list[LayerPool], focus: Focus) -> None:
        number = self.state.private["round"]
        # Not the state's own: the designs of a round whose end was cut short are in that.
        before = self.state.private.get("value", self.state.value)
        designs = self.chooser.best(pools, focus.points.hardware, BASINS)
        self._offer(pools, designs)
        gained = self.state.value < before * (1 - CONVERGED)
        last = number + 1 >= self.strategy.polish_rounds or not designs
        if last or (number >= len(SLACKS) and not gained):
            self._settle(pools)
            return
        slack = SLACKS[min(number + 1, len(SLACKS) - 1)]
        followed = designs if number + 1 < len(SLACKS) else designs[:1]
        region = local_region([design.hardware for design in followed], self.problem, number)
        self._open_round(number + 1, pools, self.chooser.focus(pools, region, slack))

    def _settle(self, pools: list[LayerPool]) -> None:
        """Round and polish once more with padded mappings, where they are allowed, or finish."""
        private = self.state.private
        if not self.problem.padded or private["padded"]:
            self._finish()
            return
        self.state.phase = "round"
        self.state.private = {
            "point": private["point"],
            "pools": [pool.pack() for pool in pools],
            "padded": True,
        }

    def _finish(self) -> None:
        """Settle the loop orders of the best design."""
        if self.state.best is not None:
            nests, tried = reordered(self.state.best, self.problem, self.budget)
            self.state.offer(nests.each(lambda tensor: tensor.unsqueeze(0)), self.problem)
            self._count(tried)
        self.state.done = True

    def _open_round(self, number: int, pools: list[LayerPool], focus: Focus) -> None:
        before = self.state.private
        self.state.phase = "polish"
        self.state.private = {
            "pools": [pool.pack() for pool in pools],
            "layer": 0,
            "round": number,
            "padded": before.get("padded", False),
            "hardware": focus.points.hardware,
            "weights": list(focus.weights),
            "slack": focus.slack,
            "value": self.state.value,
            **({"point": before["point"]} if self.problem.padded else {}),
        }

    def _focus(self) -> Focus:
        private = self.state.private
        points = hardware_points(self.problem.accelerator, private["hardware"])
        weights = tuple(private["weights"])
        return Focus(points, weights, private["slack"], self.problem.model)

    def _point(self) -> Point:
        return Point(*self.state.private["point"]).to(self.problem.device)

    def _save_point(self, point: Point) -> None:
        # On the CPU, so that a machine without the device can read it.
        point = point.to(CPU)
        self.state.private = {"point": [point.logs, point.velocity, point.step]}

    def _progress(self) -> None:
        private = self.state.private
        rounds = private["round"] + private["layer"] / len(self.tables)
        done = min(1.0, rounds / (len(SLACKS) + 2))
        if self.problem.padded:
            done = (done + private["padded"]) / 2
        self.state.fraction = DESCENT_SHARE + (1 - DESCENT_SHARE) * done

    def _count(self, mappings: int) -> None:
        self.state.count(mappings, len(self.tables))

    def _offer_nearest(self, logs: Tensor, orders: Tensor) -> None:
        """Offer the starts' nearest legal mappings, all layers together."""
        nests = [
            self._nearest(table, logs[:, layer], orders[:, layer])
            for layer, table in enumerate(self.tables)
        ]
        self.state.offer(_across_layers(nests), self.problem)
        self._count(orders.numel())

    def _nearest(self, table: LayerTable, logs: Tensor, orders: Tensor) -> LoopNest:
        self.budget.check()
        factors = logs[:, : len(table.space.slots)].exp()
        return table.nests(table.nearest(factors), orders)

    def _offer(self, pools: list[LayerPool], designs: list[PooledDesign]) -> None:
        """Offer chosen designs: what the choice left out are only roundings to whole blocks.

        The best of them is offered even where time has run out.
        """
        for place, design in enumerate(designs):
            if place:
                self.budget.check()
            picked = [
                table.nests(pool.factors[row : row + 1], pool.order[row : row + 1])
                for table, pool, row in zip(self.tables, pools, design.rows, strict=True)
            ]
            self.state.offer(_across_layers(picked), self.problem)


def _across_layers(nests: list[LoopNest]) -> LoopNest:
    """Return mappings ``[design, layer]`` from one batch ``[design]`` per layer."""
    stacked = stack(nests)
    return stacked.each(lambda tensor: tensor.movedim(0, 1))
