"""The best hardware and mappings among the candidates at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.accelerator.expression import values
from tilegrad.cost.hardware import Hardware, asked, whole
from tilegrad.cost.latency import LatencyModel
from tilegrad.search.budget import Budget, OutOfTimeError
from tilegrad.search.goal import Goal
from tilegrad.search.gradient.focus import Focus
from tilegrad.search.gradient.pool import LayerPool
from tilegrad.search.gradient.select import Selection, select
from tilegrad.search.hardware import HardwareSpace
from tilegrad.search.points import Points, hardware_points, stacked

MOST_VALUES = 48
"""Values of one parameter that are priced together."""

HOPELESS = 8.0
"""How many times the best point's value makes a hardware point not worth looking at."""

PRICES = (0.0, -0.02, -0.2)
"""Further prices of a cycle that candidates are kept by under a cap of power, of its pJ a cycle."""

APART = 1.4
"""Ratio of some parameter from which two designs are followed separately."""


@dataclass(frozen=True)
class PooledDesign:
    """Hardware with one candidate per layer: rows of the layers' pools."""

    hardware: dict[str, float]
    rows: tuple[int, ...]
    value: float


class Chooser:
    """Finds the best hardware for pooled candidates, one parameter after another.

    ``threads`` share the designs that it follows.
    """

    def __init__(
        self,
        space: HardwareSpace,
        goal: Goal,
        model: LatencyModel,
        budget: Budget,
        threads: Executor | None = None,
    ) -> None:
        self.space = space
        self.goal = goal
        self.model = model
        self.budget = budget
        self._map: Callable[..., Iterator[PooledDesign]] = map if threads is None else threads.map

    def best(self, pools: Sequence[LayerPool], starts: Hardware, most: int) -> list[PooledDesign]:
        """Return up to ``most`` designs reachable from the starting points ``[point]``, best first.

        Empty where no starting point is within the limits or holds a candidate of every layer.
        Where time runs out, designs are as good as they have become until then.
        """
        points = self.space.points(_once(starts) if self.goal.caps.any else starts)
        if points is None:
            return []
        selection = self._select(pools, points)
        leading: list[PooledDesign] = []
        for point in selection.value.argsort().tolist():
            enough = len(leading) == most or (leading and self.budget.over)
            if enough or selection.value[point] == torch.inf:
                break
            design = self._tighten(pools, self._design(points, selection, point))
            if all(_apart(design.hardware, other.hardware) for other in leading):
                leading.append(design)
        designs = {
            tuple(design.hardware.values()): design
            for design in self._map(lambda leader: self._descend(pools, leader), leading)
        }
        return sorted(designs.values(), key=lambda design: design.value)

    def at(self, pools: Sequence[LayerPool], sizes: Mapping[str, float]) -> PooledDesign | None:
        """Return the best design on one hardware point; None where some layer has no candidate."""
        points = hardware_points(self.space.accelerator, stacked([sizes]))
        selection = self._select(pools, points)
        if selection.value[0] == torch.inf:
            return None
        return self._design(points, selection, 0)

    def _descend(self, pools: Sequence[LayerPool], design: PooledDesign) -> PooledDesign:
        while True:
            better = self._tighten(pools, design)
            for name in self.space.accelerator.parameters:
                if name not in self.space.fixed:
                    better = self._scan(pools, better, name)
            if not better.value < design.value * (1 - 1e-9):
                return better
            design = better

    def focus(self, pools: Sequence[LayerPool], hardware: Hardware, slack: float) -> Focus:
        """Return a focus on those of the points ``[point]`` that are not hopeless."""
        points = self.space.points(hardware)
        assert points is not None
        selection = self._select(pools, points)
        value = selection.value
        held = (value <= value.min() * HOPELESS) & (value < torch.inf)
        held_points = hardware_points(
            self.space.accelerator, {name: v[held] for name, v in points.hardware.items()}
        )
        weights = self.goal.costs(selection.energy[held], selection.latency[held])
        if self.goal.caps.any:
            weights = (weights[0], weights[0] * selection.price[held])
        rate = self.goal.caps.pj_per_cycle
        if rate == torch.inf or self.model.learned is not None:
            return Focus(held_points, weights, slack, self.model)
        # Where power is capped the price found is only as good as the candidates so far.
        count = 1 + len(PRICES)
        others = [torch.full_like(weights[1], share * rate) for share in PRICES]
        every = torch.cat([weights[1], *(weights[0] * each for each in others)])
        again = {name: size.repeat(count) for name, size in held_points.hardware.items()}
        points = hardware_points(self.space.accelerator, again)
        return Focus(points, (weights[0].repeat(count, 1), every), slack, self.model)

    def _select(self, pools: Sequence[LayerPool], points: Points) -> Selection:
        return select(pools, points, self.goal, self.model, self.budget)

    def _tighten(self, pools: Sequence[LayerPool], design: PooledDesign) -> PooledDesign:
        """Shrink the hardware to what the design's mappings need."""
        if self.budget.over:
            return design
        picked = [pool.sums[row : row + 1] for pool, row in zip(pools, design.rows, strict=True)]
        needs = torch.cat([sums.needs for sums in picked]).amax(0)
        return self._improve(pools, design, self.space.needed(needs))

    def _scan(self, pools: Sequence[LayerPool], design: PooledDesign, name: str) -> PooledDesign:
        """Try the values of one parameter that candidates need, the others as they are."""
        if self.budget.over:
            return design
        here = {
            key: torch.tensor(value, dtype=torch.float64) for key, value in design.hardware.items()
        }
        return self._improve(pools, design, self._along(here, name, self._sizes(pools, here, name)))

    def _along(self, here: Hardware, name: str, sizes: Tensor) -> Hardware:
        """Return points with other sizes of a parameter, those that depend on it scaled.

        So that requirements have what they have here, where mappings tell a parameter only once
        this one is known: the size of each instance where the number of instances changes.
        """
        accelerator = self.space.accelerator
        have = [values(column.have, here) for column in accelerator.columns]
        there, changed = {**here, name: sizes}, {name}
        for step in self.space.plan.steps:
            names = {n for place in step.columns for n in accelerator.columns[place].names}
            if step.name not in {*self.space.fixed, *changed} and names & changed:
                there[step.name] = asked(accelerator, step, have, there)
                changed.add(step.name)
        return there

    def _sizes(self, pools: Sequence[LayerPool], here: Hardware, name: str) -> Tensor:
        step = self.space.plan.step(name)
        needs = torch.cat([pool.sums.needs for pool in pools]).unbind(-1)
        sizes = asked(self.space.accelerator, step, needs, here)
        found = whole(self.space.accelerator, step, sizes, needs, here).unique()
        return _near(found[found <= self.space.limit(name)], float(here[name]))

    def _improve(
        self, pools: Sequence[LayerPool], design: PooledDesign, trial: Hardware
    ) -> PooledDesign:
        points = self.space.points(trial)
        if points is None:
            return design
        try:
            selection = self._select(pools, points)
        except OutOfTimeError:
            return design
        best = self._design(points, selection, int(selection.value.argmin()))
        return best if best.value < design.value else design

    def _design(self, points: Points, selection: Selection, point: int) -> PooledDesign:
        return PooledDesign(
            points.at(point),
            tuple(selection.rows[point].tolist()),
            float(selection.value[point]),
        )


def _once(hardware: Hardware) -> Hardware:
    """Return points ``[point]``, each once."""
    grid = torch.stack(tuple(hardware.values()), 1).unique(dim=0) if hardware else None
    return {} if grid is None else dict(zip(hardware, grid.unbind(1), strict=True))


def _apart(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Return whether two designs' hardware differs enough to lie in different valleys."""
    return any(not 1 / APART < size / other[name] < APART for name, size in one.items())


def _near(values: Tensor, centre: float) -> Tensor:
    """Thin sorted values out to ``MOST_VALUES``: half next to ``centre``, half over the range."""
    if len(values) <= MOST_VALUES:
        return values
    half = MOST_VALUES // 2
    at = int(torch.searchsorted(values, centre))
    low = min(max(at - half // 2, 0), len(values) - half)
    spread = torch.linspace(0, len(values) - 1, half).long()
    return torch.cat([values[low : low + half], values[spread]]).unique()
