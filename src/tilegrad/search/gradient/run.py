"""A search by gradient, unit by unit: descent, rounding, rounds of polishing."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from tilegrad.cost.hardware import Hardware
from tilegrad.search.budget import Budget
from tilegrad.search.distinct import distinct
from tilegrad.search.gradient.chooser import Chooser, PooledDesign
from tilegrad.search.gradient.combined import combinations
from tilegrad.search.gradient.descent import Descent
from tilegrad.search.gradient.focus import Focus
from tilegrad.search.gradient.optimiser import Momentum, Point, Status, Stop
from tilegrad.search.gradient.polish import candidates, refine
from tilegrad.search.gradient.pool import LayerPool, merge
from tilegrad.search.gradient.regions import global_region, local_region
from tilegrad.search.gradient.relaxed import RelaxedProblem
from tilegrad.search.gradient.remap import (
    CONVERGED,
    Pass,
    first_pass,
    is_deep,
    next_pass,
    remappable,
    remapped,
)
from tilegrad.search.gradient.reorder import reordered
from tilegrad.search.gradient.round import Round
from tilegrad.search.gradient.rounding import (
    ROUNDING_SHARE,
    between,
    nearest,
    picked,
    rounded,
)
from tilegrad.search.points import stacked
from tilegrad.search.problem import CPU, SearchProblem
from tilegrad.search.state import SearchState, generator
from tilegrad.search.tables import LayerTable

DESCENT_SHARE = 0.4
"""Share of a budget that the descent may use; rounding and polishing take the rest."""

ROWS_PER_STEP = 14400
"""Layer mappings in a step of the descent, by default: starts times layers times orders."""

STEPS_PER_UNIT = 5
LAYERS_PER_UNIT = 8
LEADERS = 12
"""Starts that are rounded; a few of them already during the descent."""

BASINS = 4
"""Designs with different hardware that polishing follows."""

SLACKS = (0.05, 0.03, 0.02)
"""How far from the best a candidate may be to be kept, in the first rounds of polishing."""

CAPPED_SLACK = 0.3
"""The same where combinations of candidates have to keep to caps: what fills up costs more."""


@dataclass(frozen=True)
class Plan:
    """How much is done: the ``starts`` (None: by ``ROWS_PER_STEP``), the descent, the rounds.

    ``cosa``: whether a few of the starts are CoSA's mappings.
    """

    starts: int | None
    optimiser: Momentum
    polish_rounds: int
    polish_rows: int
    cosa: bool = False


class GradientRun:
    """One search: its units of work, each leading from one saved state to the next."""

    def __init__(
        self,
        plan: Plan,
        problem: SearchProblem,
        state: SearchState,
        budget: Budget,
        seed: int,
        threads: Executor,
    ) -> None:
        self.plan = plan
        self.problem = problem
        self.state = state
        self.budget = budget
        self.seed = seed
        self.threads = threads
        self.perfect = replace(problem, padded=False) if problem.padded else problem

    def of(self, plan: Plan, problem: SearchProblem, state: SearchState) -> GradientRun:
        """Return the search of another problem by this one's budget, seed and threads."""
        return GradientRun(plan, problem, state, self.budget, self.seed, self.threads)

    @cached_property
    def descent(self) -> Descent:
        """What descends: mappings whose factors divide the bounds, relaxed."""
        problem = self.perfect
        relaxed = RelaxedProblem.of(
            problem.tables, problem.workload, problem.hardware, problem.goal, problem.model
        )
        return Descent(relaxed.to(problem.device), self.plan.optimiser)

    @cached_property
    def chooser(self) -> Chooser:
        """What finds the best hardware for the candidates."""
        problem = self.problem
        space, goal = problem.hardware, problem.goal
        return Chooser(space, goal, problem.model, self.budget, self.threads)

    @property
    def tables(self) -> list[LayerTable]:
        """Each layer's choices: those that divide the bounds first, then padded ones too."""
        return (self.problem if self.state.private.get("padded") else self.perfect).tables

    def advance(self) -> None:
        """Do the next unit of work."""
        phase = {
            "begin": self.begin,
            "descend": self.descend,
            "round": self.round,
            "remap": self.remap,
        }
        phase.get(self.state.phase, self.polish)()

    def begin(self) -> None:
        """Draw the starts; the smallest mappings, legal if any are, are the first design."""
        self.state.offer(self.problem.smallest(), self.problem)
        self._count(len(self.tables))
        if self.problem.near:
            self.state.phase = "round"
            return
        starts = self.plan.starts or max(16, ROWS_PER_STEP // self.descent.rows_per_start)
        point = self.descent.begin(starts, generator(self.seed))
        if self.plan.cosa:
            self._begin_with_cosa(point)
        self._save_point(point)
        self.state.phase = "descend"

    def _begin_with_cosa(self, point: Point) -> None:
        """Put CoSA's mappings in place of the first starts."""
        # Imported here: it solves programs by what other searches begin without.
        from tilegrad.search.cosa.starts import cosa_starts

        found = cosa_starts(self.perfect, self.seed, self.budget)[: len(point.values)]
        self._count(found.shape[0] * found.shape[1])
        logs = self.descent.problem.project(found.to(point.values.device))
        point.values[: len(logs)] = logs

    def descend(self) -> None:
        """Take a few steps with all starts, and round the leaders for the record."""
        before, share = self._point(), self.budget.part(DESCENT_SHARE)
        descended = self.descent.advance(before, Stop(STEPS_PER_UNIT, share), self.threads)
        point = descended.point
        rows = len(point.values) * self.descent.rows_per_start
        self._count((point.step - before.step) * rows)
        logs, _, orders = self.descent.leaders(point, BASINS, share)
        self.state.offer(nearest(self.tables, logs, orders, self.budget), self.problem)
        self._count(orders.numel())
        self._save_point(point)
        self.state.fraction = DESCENT_SHARE * point.step / self.plan.optimiser.steps
        over = self.budget.spent(self.state) > DESCENT_SHARE
        if descended.status is not Status.PAUSED or over:
            self.state.phase = "round"

    def round(self) -> None:
        """Evaluate the legal neighbours of the leaders, and open the first, global region."""
        logs, hardware = self._leaders()
        random = generator(self.seed, len(self.tables))
        pools = []
        for layer, table in enumerate(self.tables):
            self.budget.check()
            start = rounded(table, logs[:, layer], self.budget, random)
            start = self._with_known(layer, start)
            pools.append(candidates(table, start, self.problem.model))
        self._count(sum(len(pool) for pool in pools))
        # The padded choices begin where the perfect ones ended.
        found = [LayerPool.unpack(tensors) for tensors in self.state.private.get("pools", ())]
        pools = [merge([*pair]) for pair in zip(pools, found, strict=True)] if found else pools
        region = global_region(self.problem, pools, self._with_own(hardware))
        designs = self._best(pools, region)
        self._offer(pools, designs)
        focus = self.chooser.focus(pools, region, self._slack(0))
        padded = self.state.private.get("padded", False)
        if is_deep(self.problem) and remappable(self.problem) and not self.problem.hardware.settled:
            self._settle(self._kept(pools, focus), designs, padded)
            return
        self.state.phase = "polish"
        self._save_round(Round(0, 0, pools, focus, self.state.value, padded))

    @property
    def _combines(self) -> bool:
        """Whether the design found is the best combination of candidates on its hardware."""
        return self.problem.caps.any and self.problem.learned is None

    def _best(self, pools: Sequence[LayerPool], starts: Hardware) -> list[PooledDesign]:
        """Return the best designs reachable from points ``[point]``, best first."""
        designs = self.chooser.best(pools, starts, BASINS)
        if not self._combines:
            return designs
        return combinations(self.problem, pools, designs, self.budget)

    def _slack(self, number: int) -> float:
        """Return how far from the best a candidate may be in a round of polishing."""
        return CAPPED_SLACK if self._combines else SLACKS[min(number, len(SLACKS) - 1)]

    def _leaders(self) -> tuple[Tensor, Hardware]:
        """Return the descent's best ``[start, layer, slot]`` and their hardware, if it was."""
        if "point" not in self.state.private:
            slots = max(len(table.space.slots) for table in self.tables)
            return torch.empty(0, len(self.tables), slots, dtype=torch.float64), {}
        share = self.budget.part(ROUNDING_SHARE)
        logs, hardware, _ = self.descent.leaders(self._point(), LEADERS, share)
        return logs, hardware

    def _with_known(self, layer: int, start: Tensor) -> Tensor:
        """Return factors ``[row, slot]`` with those near the known designs' among them."""
        known, table = self.problem.beside, self.tables[layer]
        if known is None:
            return start
        designs = range(known.batch_shape[0])
        factors = torch.stack([table.factors(known[at, layer]) for at in designs])
        near = between(table, factors) if self.problem.near else table.nearest(factors)
        whole = torch.cat([start, near])
        return whole[distinct(whole)]

    def _with_own(self, near: Hardware) -> Hardware:
        """Return points ``[point]``, each network's own hardware among them."""
        owns = [own.hardware for own in self.problem.own if own.hardware]
        return {
            name: torch.cat([size, size.new_tensor([float(own[name]) for own in owns])])
            for name, size in near.items()
        }

    def _kept(self, pools: Sequence[LayerPool], focus: Focus) -> list[LayerPool]:
        """Return what is near the best in a focus; and the smallest, which fit wherever any do."""
        networks = self.problem.goal.network.tolist()
        return [
            merge(
                [
                    focus.of(network).prune(pool),
                    candidates(table, table.smallest(), self.problem.model),
                ]
            )
            for network, pool, table in zip(networks, pools, self.tables, strict=True)
        ]

    def polish(self) -> None:
        """Refine a few layers; after the last one choose hardware anew and open the next round."""
        now = Round.unpack(self.state.private, self.problem)
        layers = range(now.layer, min(now.layer + LAYERS_PER_UNIT, len(now.pools)))
        rows = self.plan.polish_rows // len(now.pools)
        tables = self.tables
        networks = self.problem.goal.network.tolist()

        def refined_of(layer: int) -> tuple[LayerPool, int]:
            focus = now.focus.of(networks[layer])
            return refine(tables[layer], now.pools[layer], focus, rows, self.budget)

        refined = self.threads.map(refined_of, layers)
        for layer, (pool, analysed) in zip(layers, refined, strict=True):
            now.pools[layer] = pool
            self._count(analysed)
        now.layer = layers.stop
        self._save_round(now)
        if layers.stop == len(now.pools):
            self._close(now)
        if self.state.phase == "polish":
            self._progress()

    def _close(self, now: Round) -> None:
        designs = self._best(now.pools, now.focus.points.hardware)
        self._offer(now.pools, designs)
        # Not the best when the unit began: a round whose end was cut short has offered some.
        gained = self.state.value < now.value * (1 - CONVERGED)
        last = now.number + 1 >= self.plan.polish_rounds or not designs
        if last or (now.number >= len(SLACKS) and not gained):
            self._settle(now.pools, designs, now.padded)
            return
        number = now.number + 1
        followed = designs if number < len(SLACKS) else designs[:1]
        region = local_region([design.hardware for design in followed], self.problem, now.number)
        focus = self.chooser.focus(now.pools, region, self._slack(number))
        self._save_round(Round(number, 0, now.pools, focus, self.state.value, now.padded))

    def _settle(
        self, pools: list[LayerPool], designs: Sequence[PooledDesign], padded: bool
    ) -> None:
        """Round and polish once more with padded mappings, where they are allowed, or map anew."""
        if not self.problem.padded or padded:
            found = [design.hardware for design in designs]
            again = self.state.best is not None and remappable(self.problem)
            self._remap(first_pass(self.chooser, pools, found) if again else None)
            return
        self.state.phase = "round"
        packed = [pool.pack() for pool in pools]
        self.state.private = {**self._kept_point(), "pools": packed, "padded": True}

    def remap(self) -> None:
        """Map a few layers anew; after the last one choose hardware for what was found."""
        now = Pass.unpack(self.state.private)
        layers = range(now.layer, min(now.layer + LAYERS_PER_UNIT, len(now.pools)))
        tables = self.tables

        def again(layer: int) -> LayerPool:
            self.budget.check()
            return remapped(self.problem, tables[layer], now, layer)

        now.pools[layers.start : layers.stop] = self.threads.map(again, layers)
        self._count(len(layers))
        now.layer = layers.stop
        if now.layer < len(now.pools):
            self.state.private = {**self.state.private, **now.pack()}
            return
        designs = self._best(now.pools, stacked([now.hardware, now.best]))
        self._offer(now.pools, designs)
        self._remap(next_pass(self.chooser, now, designs[0]) if designs else None)

    def _remap(self, then: Pass | None) -> None:
        if then is None:
            self._finish()
            return
        # Whose candidates are padded: their factors leave a rounded number of outermost loops.
        padded = self.state.private.get("padded", False)
        self.state.phase, self.state.private = "remap", {**then.pack(), "padded": padded}
        self.state.fraction += (1 - self.state.fraction) / 8

    def _finish(self) -> None:
        """Settle the loop orders of the best design."""
        if self.state.best is not None:
            nests, tried = reordered(self.state.best, self.problem, self.budget)
            self.state.offer(nests.alone(), self.problem)
            self._count(tried)
        self.state.done = True

    def _point(self) -> Point:
        return Point(*self.state.private["point"]).to(self.problem.device)

    def _save_point(self, point: Point) -> None:
        # On the CPU, so that a machine without the device can read it.
        point = point.to(CPU)
        self.state.private = {"point": [point.values, point.velocity, point.step]}

    def _save_round(self, now: Round) -> None:
        # The padded choices are rounded from the same point.
        kept = self._kept_point() if self.problem.padded else {}
        self.state.private = {**now.pack(), **kept}

    def _kept_point(self) -> dict[str, Any]:
        point = self.state.private.get("point")
        return {} if point is None else {"point": point}

    def _progress(self) -> None:
        private = self.state.private
        rounds = private["round"] + private["layer"] / len(self.tables)
        done = min(1.0, rounds / (len(SLACKS) + 2))
        if self.problem.padded:
            done = (done + private["padded"]) / 2
        self.state.fraction = DESCENT_SHARE + (1 - DESCENT_SHARE) * done

    def _count(self, mappings: int) -> None:
        self.state.count(mappings, len(self.tables))

    def _offer(self, pools: Sequence[LayerPool], designs: Sequence[PooledDesign]) -> None:
        """Offer chosen designs: what the choice left out are only roundings to whole blocks.

        The best of them is offered even where time has run out.
        """
        for place, design in enumerate(designs):
            if place:
                self.budget.check()
            self.state.offer(picked(self.tables, pools, design), self.problem)
