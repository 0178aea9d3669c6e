"""The hardware a search may use, and the best one for the candidates at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.determined import Plan
from tilegrad.accelerator.expression import values
from tilegrad.accelerator.possible import possible
from tilegrad.cost import area_mm2
from tilegrad.cost.hardware import Hardware, asked, least_hardware, whole
from tilegrad.cost.model import CostModel
from tilegrad.search.budget import Budget, OutOfTimeError
from tilegrad.search.focus import Focus
from tilegrad.search.objective import Objective
from tilegrad.search.pool import LayerPool, Points, hardware_points
from tilegrad.search.select import Selection, select

MOST_VALUES = 48
"""Values of one parameter that are priced together."""

HOPELESS = 8.0
"""How many times the best point's value makes a hardware point not worth looking at."""

APART = 1.4
"""Ratio of some parameter from which two designs are followed separately."""


@dataclass(frozen=True)
class HardwareSpace:
    """Parameters that the user fixed, upper limits of the others, and of the area.

    ``plan`` says how mappings tell the free ones; ``ConfigError`` names one that they do not tell.
    """

    accelerator: Accelerator
    fixed: Mapping[str, float]
    caps: Mapping[str, float]
    area_cap: float | None
    plan: Plan = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "plan", self.accelerator.plan(self.fixed))

    def limit(self, name: str) -> float:
        """Return the largest value of a parameter."""
        return float(self.fixed.get(name, self.caps.get(name, torch.inf)))

    def within(self, hardware: Hardware) -> Tensor:
        """Return which points respect every limit and make sense, ``[point]``."""
        allowed = torch.ones((), dtype=torch.bool)
        for name, value in hardware.items():
            allowed = allowed & (value <= self.limit(name))
        allowed = allowed & possible(self.accelerator, hardware)
        if self.area_cap is not None:
            area = torch.as_tensor(area_mm2(self.accelerator, hardware))
            allowed = allowed & (area <= self.area_cap)
        return allowed

    @property
    def given(self) -> dict[str, float]:
        """The fixed parameters that no mapping tells."""
        return {name: self.fixed[name] for name in self.plan.given(self.fixed)}

    def widest(self, extent: float) -> dict[str, float]:
        """Return sizes that make meshes ``extent`` wide, or as wide as the limits allow.

        Of the parameters that meshes depend on, and of the fixed ones.
        """
        sizes = dict(self.fixed)
        widths = (float(column.is_mesh) * extent for column in self.accelerator.columns)
        needs = [torch.tensor(width, dtype=torch.float64) for width in widths]
        for step in self.plan.steps:
            if step.name in self.plan.meshes:
                need = float(asked(self.accelerator, step, needs, sizes).ceil())
                sizes[step.name] = min(self.limit(step.name), need)
        return sizes

    def points(self, hardware: Hardware) -> Points | None:
        """Return the points of ``hardware`` (values broadcast) within the limits."""
        values = torch.broadcast_tensors(*map(torch.atleast_1d, hardware.values()))
        whole = {name: value.ceil() for name, value in zip(hardware, values, strict=True)}
        allowed = self.within(whole)
        if not allowed.any():
            return None
        return hardware_points(self.accelerator, {n: v[allowed] for n, v in whole.items()})

    def needed(self, needs: Tensor) -> Hardware:
        """Return the least hardware, in whole units, for needs ``[..., column]``."""
        return least_hardware(self.accelerator, needs.unbind(-1), self.fixed, exact=True).hardware


@dataclass(frozen=True)
class Design:
    """Hardware with one candidate per layer: rows of the layers' pools."""

    hardware: dict[str, float]
    rows: tuple[int, ...]
    value: float
    energy: float
    latency: float


class Chooser:
    """Finds the best hardware for pooled candidates, one parameter after another."""

    def __init__(
        self,
        space: HardwareSpace,
        counts: Tensor,
        objective: Objective,
        model: CostModel,
        budget: Budget,
    ) -> None:
        self.space = space
        self.counts = counts
        self.objective = objective
        self.model = model
        self.budget = budget

    def best(self, pools: Sequence[LayerPool], starts: Hardware, most: int) -> list[Design]:
        """Return up to ``most`` designs reachable from the starting points ``[point]``, best first.

        Empty where no starting point is within the limits or holds a candidate of every layer.
        Where time runs out, designs are as good as they have become until then.
        """
        points = self.space.points(starts)
        if points is None:
            return []
        selection = self._select(pools, points)
        leading: list[Design] = []
        for point in selection.value.argsort().tolist():
            enough = len(leading) == most or (leading and self.budget.over)
            if enough or selection.value[point] == torch.inf:
                break
            design = self._tighten(pools, self._design(points, selection, point))
            if all(_apart(design.hardware, other.hardware) for other in leading):
                leading.append(design)
        designs = {
            tuple(design.hardware.values()): design
            for design in (self._descend(pools, leader) for leader in leading)
        }
        return sorted(designs.values(), key=lambda design: design.value)

    def _descend(self, pools: Sequence[LayerPool], design: Design) -> Design:
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
        weights = self.objective.weights(selection.energy[held], selection.latency[held])
        return Focus(held_points, weights, slack, self.model)

    def _select(self, pools: Sequence[LayerPool], points: Points) -> Selection:
        return select(pools, self.counts, points, self.objective, self.model, self.budget)

    def _tighten(self, pools: Sequence[LayerPool], design: Design) -> Design:
        """Shrink the hardware to what the design's mappings need."""
        if self.budget.over:
            return design
        picked = [pool.sums[row : row + 1] for pool, row in zip(pools, design.rows, strict=True)]
        needs = torch.cat([sums.needs for sums in picked]).amax(0)
        return self._improve(pools, design, self.space.needed(needs))

    def _scan(self, pools: Sequence[LayerPool], design: Design, name: str) -> Design:
        """Try the values of one parameter that candidates need, the others as they are."""
        if self.budget.over:
            return design
        here = {key: torch.tensor(value) for key, value in design.hardware.items()}
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

    def _improve(self, pools: Sequence[LayerPool], design: Design, trial: Hardware) -> Design:
        points = self.space.points(trial)
        if points is None:
            return design
        try:
            selection = self._select(pools, points)
        except OutOfTimeError:
            return design
        best = self._design(points, selection, int(selection.value.argmin()))
        return best if best.value < design.value else design

    def _design(self, points: Points, selection: Selection, point: int) -> Design:
        return Design(
            points.at(point),
            tuple(selection.rows[point].tolist()),
            float(selection.value[point]),
            float(selection.energy[point]),
            float(selection.latency[point]),
        )


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
