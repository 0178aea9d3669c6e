"""The hardware a search may use, and the best one for the candidates at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.possible import possible
from tilegrad.accelerator.settling import settled
from tilegrad.cost import area_mm2
from tilegrad.cost.footprint import mesh_parameters, smallest_hardware
from tilegrad.cost.hardware import Hardware
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

    ``accelerator`` is the ``template`` with the sizes that the fixed parameters settle as numbers:
    its free parameters can be inferred from mappings, or ``ConfigError`` names the one that cannot.
    """

    template: Accelerator
    fixed: Mapping[str, float]
    caps: Mapping[str, float]
    area_cap: float | None
    accelerator: Accelerator = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "accelerator", settled(self.template, self.fixed))

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
        """The fixed parameters but those that are sizes of levels.

        A level's words per instance follow from its size and the number of its instances.
        """
        sizes = self.accelerator.capacity_parameters
        return {name: size for name, size in self.fixed.items() if name not in sizes}

    @property
    def others(self) -> dict[str, float]:
        """The fixed parameters that no mapping tells: neither widths of meshes nor sizes."""
        meshes = self.accelerator.fanout_parameters
        return {name: size for name, size in self.given.items() if name not in meshes}

    def points(self, hardware: Hardware) -> Points | None:
        """Return the points of ``hardware`` (values broadcast) within the limits."""
        values = torch.broadcast_tensors(*map(torch.atleast_1d, hardware.values()))
        whole = {name: value.ceil() for name, value in zip(hardware, values, strict=True)}
        allowed = self.within(whole)
        if not allowed.any():
            return None
        return hardware_points(self.accelerator, {n: v[allowed] for n, v in whole.items()})

    def needed(self, fanout: Tensor, kept_words: Tensor) -> Hardware:
        """Return the smallest hardware, in whole units, for needs ``[..., column]``."""
        smallest = smallest_hardware(self.accelerator, fanout, kept_words, self.fixed)
        return {name: value.ceil() for name, value in smallest.items()}


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
        fanout = torch.cat([sums.fanout for sums in picked]).amax(0)
        kept = torch.cat([sums.kept_words for sums in picked]).amax(0)
        return self._improve(pools, design, self.space.needed(fanout, kept))

    def _scan(self, pools: Sequence[LayerPool], design: Design, name: str) -> Design:
        """Try the values of one parameter that candidates need, the others as they are."""
        if self.budget.over:
            return design
        here = {key: torch.tensor(value) for key, value in design.hardware.items()}
        values = self._values(pools, here, name)
        trial = {**here, name: values}
        if name in self.space.accelerator.fanout_parameters:
            trial |= self._rescale(here, trial)
        return self._improve(pools, design, trial)

    def _rescale(self, here: Hardware, there: Hardware) -> Hardware:
        """Keep the size of each instance where the number of instances changes."""
        return {
            name: here[name] / level.instances(here) * level.instances(there)
            for name, level in self.space.accelerator.capacity_parameters.items()
            if name not in self.space.fixed
        }

    def _values(self, pools: Sequence[LayerPool], here: Hardware, name: str) -> Tensor:
        accelerator = self.space.accelerator
        if name in accelerator.fanout_parameters:
            column = mesh_parameters(accelerator).index(name)
            needs = torch.cat([pool.sums.fanout[:, column] for pool in pools])
        else:
            level = accelerator.capacity_parameters[name]
            column = list(accelerator.capacity_parameters).index(name)
            words = torch.cat([pool.sums.kept_words[:, column] for pool in pools])
            needs = words * level.instances(here) * (level.bytes_per_word / 1024)
        values = needs.clamp(min=accelerator.parameters[name].minimum).ceil().unique()
        values = values[values <= self.space.limit(name)]
        return _near(values, float(here[name]))

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
