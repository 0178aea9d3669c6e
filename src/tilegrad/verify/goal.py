"""What a search minimises: its objective, caps on what designs do, and the rule of networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, log

from tilegrad.accelerator import Accelerator

POWERS = {"edp": (1, 1, 0), "energy": (1, 0, 0), "latency": (0, 1, 0), "area-delay": (0, 1, 1)}
"""Powers of energy, latency and area in each objective."""

WHAT_DESIGNS_DO = ("latency_ms", "power_w", "dram_gbs")
"""Caps that are of no size."""

ROUNDED = 1 + 1e-12
"""A cap that is given as a design's own figure holds it."""

Line = tuple[float, float]
"""A price of a cycle and the least ``E + p L`` of all choices (infinite price: ``L``)."""


@dataclass(frozen=True)
class Goal:
    """An objective, the most cycles and pJ a cycle of each network, and what joins these.

    ``weights`` and ``own`` (figures on hardware of its own) by network; no ``rule``: there is one.
    """

    objective: str
    cycles: float
    pj_per_cycle: float
    rule: str | None = None
    weights: Sequence[float] = (1.0,)
    own: Sequence[float] = (1.0,)

    @classmethod
    def of(
        cls,
        objective: str,
        caps: Mapping[str, float | None],
        accelerator: Accelerator,
        rule: str | None,
        weights: Sequence[float],
        own: Sequence[float],
    ) -> Goal:
        """Return the goal of a config's ``caps``."""
        latency, power = caps.get("latency_ms"), caps.get("power_w")
        clock = accelerator.clock_mhz or 1.0
        return cls(
            objective,
            inf if latency is None else latency * 1e3 * clock * ROUNDED,
            inf if power is None else power * 1e6 / clock * ROUNDED,
            rule,
            weights,
            own,
        )

    @property
    def capped(self) -> bool:
        """Whether there is a cap."""
        return min(self.cycles, self.pj_per_cycle) < inf

    def figure(self, energy: float, latency: float, area: float = 1.0) -> float:
        """Return the objective of a network."""
        a, b, c = POWERS[self.objective]
        return energy**a * latency**b * area**c

    def joined(self, figures: Sequence[float]) -> float:
        """Return what the rule makes of the networks' figures."""
        if self.rule is None:
            return figures[0]
        if max(figures) == inf:
            return inf
        pairs = list(zip(self.weights, figures, strict=True))
        if self.rule == "sum":
            return sum(weight * each for weight, each in pairs)
        if self.rule == "worst":
            return max(w * each / own for (w, each), own in zip(pairs, self.own, strict=True))
        return exp(
            sum(weight * log(max(each, 1e-300)) for weight, each in pairs) / sum(self.weights)
        )

    def least(self, known: Sequence[Line]) -> float:
        """Return the least figure of what lines and caps leave; infinite where they leave nothing.

        The region is convex and the figure quasi-concave: the least is at a corner.
        """
        known = sorted(known)
        ends = dict(known)
        a, b, _ = POWERS[self.objective]
        if not self.capped and b == 0:
            return float(ends.get(0.0, 0.0) ** a)
        if not self.capped and a == 0:
            return float(ends.get(inf, 0.0) ** b)
        if 0.0 not in ends or inf not in ends:
            return 0.0
        return min((self.figure(*each) for each in self._corners(known)), default=inf)

    def _corners(self, known: Sequence[Line]) -> Iterator[tuple[float, float]]:
        rate, finite = self.pj_per_cycle, known[:-1]
        limits = [value / (price + rate) for price, value in finite if price > -rate]
        low = max([known[-1][1], *limits])
        slack = 1e-9 * dict(known)[0.0]
        if low > self.cycles or any(p <= -rate and value > slack for p, value in finite):
            return
        for (price, value), (higher, above) in pairwise(known):
            latency = above if higher == inf else (above - value) / (higher - price)
            if low <= latency <= self.cycles:
                yield max(0.0, value - price * latency), max(0.0, latency)
        for latency in (low, self.cycles):
            if latency < inf:
                yield max(value - price * latency for price, value in finite), latency
