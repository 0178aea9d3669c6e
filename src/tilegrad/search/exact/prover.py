"""Bounds of boxes of hardware: no design on any hardware of a box has a lower objective.

A mapping is priced on the least sizes of the box that hold it, where energies are least; it may be
used if the largest sizes hold it. What a box leaves open is closed by dividing it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, inf
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tilegrad.cost import area_mm2
from tilegrad.search.exact.box import Box
from tilegrad.search.exact.choices import coolest
from tilegrad.search.exact.hull import Costs, Least, inner
from tilegrad.search.exact.meshes import Meshes
from tilegrad.search.exact.networks import by_network, joined, least_of_all
from tilegrad.search.exact.rows import Floats, Rows
from tilegrad.search.exact.shown import EVERY, shown_by
from tilegrad.search.problem import SearchProblem

SAFE = 1 - 1e-9
"""What bounds are multiplied by, so that no rounding makes them too high."""


@dataclass(frozen=True)
class Found:
    """A box's ``bound``, the mappings ``rows [layer]`` closest to it, and where to divide.

    ``cut``: a parameter and the least value of the upper part; None where the bound is what that
    design costs. An infinite bound: no design there keeps to the caps. ``point``: the box of that
    design's hardware alone, on which it has the objective ``value`` (or more, in a range of
    meshes). ``prices``: lines to begin the bounds of parts with; ``shown``: what shows the bound.
    """

    bound: float
    rows: NDArray[np.int64]
    point: Box
    value: float
    prices: tuple[float, ...]
    shown: list[dict[str, Any]]
    cut: tuple[str, float] | None


@dataclass(frozen=True)
class Prover:
    """Bounds boxes for a problem's objective, by rows enumerated for a range of meshes."""

    meshes: Meshes
    rows: Rows

    @property
    def problem(self) -> SearchProblem:
        """What is searched."""
        return self.meshes.problem

    @cached_property
    def _told(self) -> tuple[str, ...]:
        return tuple(step.name for step in self.problem.hardware.plan.steps)

    def box(self, ends: Mapping[str, tuple[float, float]]) -> Box:
        """Return the box of all hardware with meshes within ``ends`` that any design could need."""
        least, most = self._needs()
        hardware, found = self.problem.hardware, {}
        for name, each in self.problem.accelerator.parameters.items():
            if name in hardware.fixed:
                found[name] = (hardware.fixed[name], hardware.fixed[name])
            elif name in ends:
                found[name] = ends[name]
            else:
                low = max(each.minimum, least[name])
                high = max(low, min(hardware.limit(name), ceil(most[name])))
                found[name] = (float(ceil(low)), float(high))
        return Box(found)

    def _needs(self) -> tuple[dict[str, float], dict[str, float]]:
        """Return what every design and what no design needs more of, by parameter."""
        needed = self.rows.needed
        least = np.minimum.reduceat(needed, self.rows.starts).max(0).tolist()
        most = self.rows.largest.tolist()
        return dict(zip(self._told, least, strict=True)), dict(zip(self._told, most, strict=True))

    def bound(self, box: Box, enough: float, prices: tuple[float, ...] = ()) -> Found | None:
        """Return what is known of a box; None where it holds no design.

        The bound may end early where it reaches ``enough``.
        """
        area = self._area(box.least)
        cap = self.problem.hardware.area_cap
        if cap is not None and area > cap:
            return None
        rows = self.rows.only(self._fitting(box))
        if rows is None:
            return None
        factor = self._area_factor(area) * SAFE
        every = self._least(rows, box, enough / factor, prices)
        if not every:
            return None
        least = every[min(every, key=lambda layer: every[layer].bound)]
        if least.bound < enough / factor and self._is_last(rows, box, least, area):
            every = self._least(rows, box, enough / factor, prices, whole=True)
            least = every[min(every, key=lambda layer: every[layer].bound)]
        shown = [shown_by(each, layer) for layer, each in every.items()]
        if least.bound == inf:
            return Found(inf, np.zeros(0, np.int64), box, inf, (), shown, None)
        point, cut = self._cut(box, rows, least, area)
        if cut is None and self.problem.caps.any and least.bound < enough / factor:
            cut = self._halved(box, rows)
        places = rows.place[least.rows]
        value = self._value(rows.pick(least.rows), point)
        bound, begin = least.bound * factor, _few(least.prices)
        return Found(bound, places, point, value, begin, shown, cut)

    def ends(self, box: Box) -> list[NDArray[np.int64]]:
        """Return the mappings of least latency and of about the least power in a box."""
        costs = Costs(self._energy(self.rows, box), self.rows.cycles, self.rows.starts)
        return [self.rows.place[line.rows] for line in (costs.line(inf), coolest(costs))]

    def _value(self, picked: Rows, point: Box) -> float:
        """Return the objective of one mapping of each layer on the least hardware of a box."""
        energies = self._energy(picked, point)
        if self.problem.caps.any and not self._holds(picked, energies):
            return inf
        figures = self._figures(picked, energies)
        return joined(self.problem.goal, figures) * self._area_factor(self._area(point.least))

    def _holds(self, picked: Rows, energy: Floats) -> bool:
        """Return whether every network keeps to the caps; ``energy [layer]``."""
        places = self.problem.workload.places
        sums = (torch.tensor(by_network(places, each)) for each in (energy, picked.cycles))
        return bool(self.problem.caps.met(*sums).all())

    def _figures(self, picked: Rows, energy: Floats) -> list[float]:
        """Return each network's figure at an area of 1; ``energy [layer]``."""
        powers, places = self.problem.objective, self.problem.workload.places
        pairs = zip(by_network(places, energy), by_network(places, picked.cycles), strict=True)
        return [e**powers.energy_power * t**powers.latency_power for e, t in pairs]

    def _area_factor(self, area: float) -> float:
        return float(area**self.problem.objective.area_power)

    def _fitting(self, box: Box) -> NDArray[np.bool_]:
        fitting = np.ones(len(self.rows), dtype=bool)
        for step, name in enumerate(self._told):
            fitting &= self.rows.needed[:, step] <= box.high(name)
        return fitting

    def _least(
        self,
        rows: Rows,
        box: Box,
        enough: float,
        prices: tuple[float, ...],
        whole: bool = False,
    ) -> dict[int, Least]:
        """Return the least product, by the layer that fills the mesh: -1 where none has to.

        One of the layers does where a mesh as wide as this follows from mappings alone.
        """
        costs = Costs(self._energy(rows, box), rows.cycles, rows.starts)
        least = self._bounded(costs, enough, prices, whole)
        if least.bound == inf:
            return {EVERY: least}
        for step, name in enumerate(self._told):
            if self._has_to_be_filled(box, name):
                filling = rows.needed[:, step] >= box.low(name)
                if not filling[least.rows].any():
                    return self._filled(rows, costs, filling, enough, whole)
        return {EVERY: least}

    def _is_last(self, rows: Rows, box: Box, least: Least, area: float) -> bool:
        """Return whether under caps a design tells of no division: choices are searched then."""
        return self.problem.caps.any and self._cut(box, rows, least, area)[1] is None

    def _bounded(
        self, costs: Costs, enough: float, prices: tuple[float, ...], whole: bool
    ) -> Least:
        places, goal = self.problem.workload.places, self.problem.goal
        exact = len(self.meshes.corners) == 1
        return least_of_all(costs, places, goal, enough, prices, exact, whole)

    def _has_to_be_filled(self, box: Box, name: str) -> bool:
        """Return whether hardware as large as this follows from mappings alone."""
        hardware = self.problem.hardware
        above = box.low(name) > self.problem.accelerator.parameters[name].minimum
        return name in hardware.plan.meshes and name not in hardware.fixed and above

    def _filled(
        self,
        rows: Rows,
        costs: Costs,
        filling: NDArray[np.bool_],
        enough: float,
        whole: bool,
    ) -> dict[int, Least]:
        """Return the least product of designs in which the mapping of a layer is ``filling``."""
        found: dict[int, Least] = {}
        ends = np.append(rows.starts, len(rows))
        for layer in range(len(rows.starts)):
            kept = np.ones(len(rows), dtype=bool)
            kept[ends[layer] : ends[layer + 1]] = filling[ends[layer] : ends[layer + 1]]
            chosen = rows.only(kept)
            if chosen is None:
                continue
            part = Costs(costs.energy[kept], costs.latency[kept], chosen.starts)
            least = self._bounded(part, enough, (), whole)
            found[layer] = replace(least, rows=np.flatnonzero(kept)[least.rows])
        return found

    def _energy(self, rows: Rows, box: Box) -> Floats:
        """Return the energy of each row on the least sizes of the box that hold it, ``[row]``.

        What a word costs grows with the sizes: where two bound them from below, it costs at least
        the larger of what it costs at either.
        """
        least = np.minimum.reduce([self.meshes.price(corner) for corner in self._corners(box)])
        energy = rows.constant.copy()
        for group in range(least.shape[1]):
            energy += rows.words[:, group] * np.maximum(rows.rates[:, group], least[0, group])
        return energy

    def _settled(self, box: Box) -> tuple[str, ...]:
        """Return the parameters that rows do not settle: meshes and fixed ones."""
        fixed = self.problem.hardware.fixed
        return tuple(n for n in box.ends if n in self.problem.hardware.plan.meshes or n in fixed)

    def _corners(self, box: Box) -> list[dict[str, float]]:
        """Return the least hardware with each end of the box's meshes."""
        corners = [box.least]
        for name in self._settled(box):
            values = dict.fromkeys(box.ends[name])
            corners = [{**corner, name: value} for corner in corners for value in values]
        return corners

    def _area(self, sizes: Mapping[str, float]) -> float:
        return float(area_mm2(self.problem.accelerator, sizes))

    def _cut(
        self, box: Box, rows: Rows, least: Least, area: float
    ) -> tuple[Box, tuple[str, float] | None]:
        """Return a design's own hardware in a box, and where to divide that.

        Along the size whose growth to what the design needs adds most to the bound.
        """
        used = rows.needed[least.rows]
        picked = rows.pick(least.rows)
        here = self._energy(picked, box)
        cap = self.problem.hardware.area_cap
        every = box
        best, most = None, 0.0
        for step, name in enumerate(self._told):
            low, top = box.low(name), float(used[:, step].max(initial=0.0))
            if name in self._settled(box) or top <= low:
                continue
            grown = box.within(name, top, max(top, box.high(name)))
            every = every.within(name, top, max(top, box.high(name)))
            gain = self._grown_by(picked, here, self._energy(picked, grown))
            gain += self._larger_by(grown, area)
            if gain > most:
                start = max(low, float(used[:, step].min()))
                best, most = (name, _middle(low, start, top)), gain
        if cap is not None and self._area(every.least) > cap and best is None:
            best = self._shrinking(box, every)
        sizes = {
            n: (s, s) if n not in self._settled(box) else box.ends[n]
            for n, s in every.least.items()
        }
        return Box(sizes), best

    def _halved(self, box: Box, rows: Rows) -> tuple[str, float] | None:
        """Return where to divide the size that ranges most, whatever a design needs of it.

        On less hardware fewer choices are left to search; None where there is one hardware.
        """
        most = dict(zip(self._told, rows.needed.max(0).tolist(), strict=True))
        ranges = {
            name: ceil(min(box.high(name), need)) / box.low(name)
            for name, need in most.items()
            if name not in self._settled(box)
        }
        name = max(ranges, key=ranges.__getitem__, default=None)
        if name is None or ranges[name] <= 1:
            return None
        return name, float(max(box.low(name) + 1, ceil(box.low(name) * ranges[name] ** 0.5)))

    def _grown_by(self, picked: Rows, before: Floats, after: Floats) -> float:
        """Return by which share the figure grows with the layers' energies ``[layer]``."""
        goal = self.problem.goal
        if goal.rule is None:
            return goal.objective.energy_power * (float(after.sum()) / float(before.sum()) - 1)
        figures = (self._figures(picked, energy) for energy in (before, after))
        low, high = (joined(goal, each) for each in figures)
        return high / low - 1

    def _larger_by(self, grown: Box, area: float) -> float:
        power = self.problem.objective.area_power
        if power == 0 and self.problem.hardware.area_cap is None:
            return 0.0
        return max(power, 1e-3) * (self._area(grown.least) / area - 1)

    def _shrinking(self, box: Box, every: Box) -> tuple[str, float] | None:
        for name in box.ends:
            if every.low(name) > box.low(name):
                return name, _middle(box.low(name), box.low(name), every.low(name))
        return None


def _middle(low: float, start: float, top: float) -> float:
    """Return a whole size above ``low``, between ``start`` and ``top``."""
    return max(low + 1, float(np.ceil((start + top) / 2)))


def _few(prices: tuple[float, ...], most: int = 6) -> tuple[float, ...]:
    """Return prices to begin a part's bound with: those in the middle."""
    tried = inner(prices)
    spare = max(0, len(tried) - most)
    return tried[spare // 2 : len(tried) - (spare - spare // 2)]
