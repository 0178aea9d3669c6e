"""The optimum of a network on hardware without free sizes: layer by layer, at prices of a cycle.

At a price the layers part: each has a mapping of least energy + price * cycles, which the mapper
proves. What a few such prices leave possible bounds the objective (``hull``).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import pairwise
from math import inf, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tilegrad.mapping import LoopNest, stack
from tilegrad.search.budget import Budget
from tilegrad.search.exact.hull import Floats, Least, Line, corner
from tilegrad.search.exact.mapper.front import Front
from tilegrad.search.exact.shown import EVERY, shown_by
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState

if TYPE_CHECKING:
    from tilegrad.search.exact.mapper.mapper import LayerMapper

SHARE = 0.3
"""Share of the gap that the proof of a layer may leave."""

MOST_PRICES = 24

APART = 4.0
"""Ratio of neighbouring prices where one of them is not bounded by a proof yet."""

BESIDE = 1.5
"""So many steps of ``APART`` below the first price, energy alone is looked at."""

STEEP = 1e6
"""How many times all energy a cycle costs where only latency counts."""


class FixedRun:
    """One search: its units of work, each leading from one saved state to the next.

    ``private``: the ``price`` in hand, the next ``layer``, the ``proofs`` of those before,
    ``fronts`` of all layers, and ``lines`` of (price, each layer's cost) that are proven;
    ``closed``: what shows the bound, in the end.
    """

    def __init__(
        self,
        gap: float,
        workers: int,
        problem: SearchProblem,
        state: SearchState,
        budget: Budget,
        threads: ThreadPoolExecutor,
    ) -> None:
        self.gap = gap
        self.workers = workers
        self.problem = problem
        self.state = state
        self.budget = budget
        self.threads = threads
        self.counts = [float(count) for count in problem.workload.counts]

    @cached_property
    def mappers(self) -> list[LayerMapper]:
        """One mapper for each layer."""
        # Imports a compiler, which no other strategy needs.
        from tilegrad.search.exact.mapper.mapper import LayerMapper

        fixed = self.problem.hardware.fixed
        return [
            LayerMapper(self.problem.accelerator, layer, fixed)
            for layer in self.problem.workload.layers
        ]

    @cached_property
    def floor(self) -> tuple[float, float, float]:
        """Least energy and cycles of the network, and most energy, without any search."""
        sums = self.floors.sum(0)
        return float(sums[0]), float(sums[1]), float(sums[2])

    @cached_property
    def floors(self) -> Floats:
        """The same of each layer's executions, ``[layer, figure]``."""
        each = np.array([mapper.floor for mapper in self.mappers])
        return np.array(self.counts)[:, None] * each

    def step(self) -> None:
        """Do one unit of work."""
        if self.state.phase == "begin":
            self._begin()
            return
        private = self.state.private
        fronts = self._fronts()
        layers = range(private["layer"], min(private["layer"] + self.workers, len(fronts)))
        proofs = list(self.threads.map(lambda at: self._look(at, fronts[at]), layers))
        found = [self.counts[at] * proof for at, proof in zip(layers, proofs, strict=True)]
        private["proofs"] = [*private["proofs"], *found]
        private["fronts"] = [front.pack() for front in fronts]
        private["layer"] = layers.stop
        self.state.count(len(layers), len(fronts))
        if layers.stop == len(fronts):
            self._close(fronts)
        self.state.fraction = min(0.99, self.state.fraction + 0.02 / len(fronts))

    def _begin(self) -> None:
        """Look for first mappings, or prove at once of those of a design that is known."""
        known, fronts = self.state.best, [Front() for _ in self.counts]
        if known is None:
            self.state.offer(self.problem.smallest(), self.problem)
            self.state.count(len(self.counts), len(self.counts))
            energy, cycles, _ = self.floor
        else:
            fronts = self._known(known)
            energy, cycles = self._totals(fronts, [0] * len(fronts))
        self.state.private = {
            "fronts": [front.pack() for front in fronts],
            "lines": [],
            **self._at(self._price(energy, cycles), found=known is not None),
        }

    def _known(self, design: LoopNest) -> list[Front]:
        """Return each layer's mapping in a design ``[layer]``, with its exact cost."""
        cost, _ = self.problem.evaluate(design.alone())
        energies = cost.layers.energy_by_part_pj[0].sum(-1).tolist()
        cycles = cost.layers.cycles_by_part[0].amax(-1).tolist()
        each = zip(energies, cycles, range(len(self.counts)), strict=True)
        return [Front([energy], [slow], [design[at]]) for energy, slow, at in each]

    def _at(self, price: float, found: bool = True) -> dict[str, Any]:
        """Return the part of the state that begins a price."""
        self.state.phase = "prove" if found else "find"
        return {"price": price, "layer": 0, "proofs": []}

    def _price(self, energy: float, cycles: float) -> float:
        """Return the price at which the objective weighs a network's energy and latency."""
        powers = self.problem.objective
        if powers.latency_power == 0:
            return 0.0
        if powers.energy_power == 0:
            return STEEP * self.floor[2] / self.floor[1]
        return powers.latency_power / powers.energy_power * energy / cycles

    def _fronts(self) -> list[Front]:
        return [Front.unpack(packed) for packed in self.state.private["fronts"]]

    def _look(self, layer: int, front: Front) -> float:
        self.budget.check()
        price = self.state.private["price"]
        if self.state.phase == "find":
            return front.begin(self.mappers[layer], price)
        return front.look(self.mappers[layer], price, None, self.gap * SHARE)

    def _close(self, fronts: list[Front]) -> None:
        """Offer what the layers' fronts make at a price, and go on to the next one."""
        private = self.state.private
        if self.state.phase == "prove":
            private["lines"] = [*private["lines"], [private["price"], private["proofs"]]]
        energy, cycles = self._offer(fronts, private["price"])
        energy, cycles = self._offer(fronts, self._price(energy, cycles))
        if self.state.phase == "find":
            private.update(self._at(self._price(energy, cycles)))
            return
        self._bound()

    def _offer(self, fronts: list[Front], price: float) -> tuple[float, float]:
        """Offer the design that is best at a price; return its energy and cycles."""
        picked = [front.best(price) for front in fronts]
        nests = [front.nests[at] for front, at in zip(fronts, picked, strict=True)]
        self.state.offer(_across(nests), self.problem)
        return self._totals(fronts, picked)

    def _totals(self, fronts: list[Front], picked: list[int]) -> tuple[float, float]:
        """Return energy and cycles of one mapping of each layer."""
        pairs = list(zip(self.counts, fronts, picked, strict=True))
        energy = sum(count * front.energies[at] for count, front, at in pairs)
        return energy, sum(count * front.cycles[at] for count, front, at in pairs)

    def _bound(self) -> None:
        """Bound the objective; the next price is where the bound is least, unless it suffices."""
        state, private = self.state, self.state.private
        lines = self._lines()
        corners = [corner(low, high) for low, high in pairwise(lines)]
        values = [self._value(*each) for each in corners]
        place = int(np.argmin(values))
        state.bound = max(state.bound, min(values[place], state.value))
        low, high = lines[place].price, lines[place + 1].price
        price = self._between(low, high, corners[place])
        enough = state.gap is not None and state.gap <= self.gap
        tried = [line[0] for line in private["lines"]]
        if enough or price is None or price in tried or len(tried) >= MOST_PRICES:
            state.done = True
            private["closed"] = [self._closed(lines, min(values))]
            return
        private.update(self._at(price))

    def _value(self, energy: float, cycles: float) -> float:
        figures = torch.tensor([energy, cycles], dtype=torch.float64)
        return float(self.problem.objective.value(figures[0], figures[1], self.area))

    @cached_property
    def area(self) -> torch.Tensor:
        """Area of the hardware [mm2]."""
        cost, _ = self.problem.evaluate(self.problem.smallest())
        return cost.area_mm2.reshape(-1)[0]

    def _lines(self) -> list[Line]:
        """Return the proven lines by price, between those of the least energy and latency.

        Without those that others imply: what is proven at a price lies above what is between the
        proofs at its neighbours.
        """
        energies, cycles, most = self.floors.T
        proven = {0.0: energies, inf: cycles}
        for price, costs in self.state.private["lines"]:
            proven[price] = np.maximum(costs, proven.get(price, 0.0))
            if self.problem.objective.energy_power == 0:
                proven[inf] = np.maximum(proven[inf], (np.array(costs) - most) / price)
        rows = np.zeros(0, np.int64)
        kept: list[Line] = []
        for price in sorted(proven):
            line = Line(price, proven[price], float(proven[price].sum()), 0.0, 0.0, rows)
            while len(kept) > 1 and corner(kept[-1], line)[1] > corner(kept[-2], kept[-1])[1]:
                kept.pop()
            kept.append(line)
        return kept

    def _closed(self, lines: list[Line], bound: float) -> dict[str, Any]:
        """Return the hardware as a box that is settled, with what shows its bound."""
        fixed = self.problem.hardware.fixed
        ends = {name: (fixed[name], fixed[name]) for name in self.problem.accelerator.parameters}
        least = Least(bound, bound, np.zeros(0, np.int64), tuple(lines))
        return {"ends": ends, "bound": bound, "shown": [shown_by(least, EVERY)]}

    def _between(self, low: float, high: float, at: tuple[float, float]) -> float | None:
        """Return a price between two lines' (0 and infinite where nothing is proven yet)."""
        if 0 in (self.problem.objective.energy_power, self.problem.objective.latency_power):
            return None
        if low == 0.0:
            tried = [price for price, _ in self.state.private["lines"]]
            return high / APART if 0.0 in tried or high > tried[0] / APART**BESIDE else 0.0
        if high == inf:
            return low * APART
        price = self._price(*at)
        return price if low * 1.05 < price < high / 1.05 else sqrt(low * high)


def _across(nests: list[LoopNest]) -> LoopNest:
    """Return the design ``[1, layer]`` of one mapping per layer."""
    return stack(nests).alone()
