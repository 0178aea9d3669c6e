"""The best mapping of one layer on fixed hardware, with its proof: partial mappings by level.

From the innermost level outwards, spreads and loops are placed in every way; of partial mappings
with the same tiles only those are kept that no other is as good as in all that the levels to come
can see, and whose least completion beats the best mapping known. The mapspace: that of ``MapSpace``
without padding, in any order of a level's loops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import inf

import numpy as np
import torch

from tilegrad.accelerator import Accelerator
from tilegrad.mapping import LoopNest, unit_mapping
from tilegrad.search.exact.mapper import stages as kernels
from tilegrad.search.exact.mapper.bounds import Outlook, outlook, over_multiples, own
from tilegrad.search.exact.mapper.columns import (
    BOUND,
    CHOICE,
    CYCLES,
    EXTENT,
    PAID,
    PARENT,
    PLACES,
    SEEN,
    VALUES,
)
from tilegrad.search.exact.mapper.rules import Array, Rules
from tilegrad.search.exact.mapper.sequences import sequences
from tilegrad.workload import Problem

SLACK = 1e-9
"""Relative rounding of sums of energies: what is no better than this is not looked for."""


@dataclass(frozen=True)
class Found:
    """The best mapping for a price of a cycle, before whole blocks and cycles are counted.

    ``bound``: no mapping costs less; ``nest [level, dim]`` is None where none costs less than the
    one that was known.
    """

    bound: float
    energy: float
    cycles: float
    nest: LoopNest | None


@dataclass(frozen=True)
class _Stage:
    values: Array
    places: Array


class LayerMapper:
    """Best mappings of one layer on hardware whose sizes are all given."""

    def __init__(
        self, accelerator: Accelerator, problem: Problem, hardware: Mapping[str, float]
    ) -> None:
        self.rules = Rules(accelerator, problem, hardware)

    def best(self, price: float, known: float = inf, most: int | None = None) -> Found:
        """Return the mapping of least energy + ``price`` * cycles below ``known`` [pJ].

        ``most``: partial mappings kept at a boundary; where that drops some, nothing is proven
        (the bound is then of those kept).
        """
        best = Found(known, inf, inf, None)
        for shared in self._modes:
            run = _Run(self, shared, price, best.bound * (1 - SLACK), most)
            best = run.result() or best
        return best

    @cached_property
    def floor(self) -> tuple[float, float, float]:
        """Least energy [pJ] and cycles of any mapping, and the most energy of one; not tight."""
        rules = self.rules
        least = min(_Run(self, shared, 0.0, inf, None).least for shared in self._modes)
        widest = float(np.prod([each.prod((1, 2)).max() for each in rules.spreads]))
        # Strides and dilations let a window hold more words than its tile has steps.
        words = float((rules.tiles / rules.extents.prod(1)).max())
        accesses = rules.machine.arithmetic.energy_pj + 3 * words * rules.rates.sum()
        return least, rules.macs / widest, float(rules.macs * accesses)

    @cached_property
    def _modes(self) -> list[Array]:
        """Ways to charge levels whose instances share accesses: by cluster, or by word.

        Each costs at least what is right, and one of them just that.
        """
        rules = self.rules
        widest = [float(each.prod((1, 2)).max()) for each in rules.spreads]
        ways: list[tuple[float, ...]] = []
        for level, clusters in enumerate(rules.clusters):
            above = float(np.prod(widest[level + 1 :]))
            if above <= clusters:
                ways.append((0.0,))
            else:
                ways.append((clusters,) if clusters <= 1 else (clusters, 0.0))
        return [np.array(way) for way in product(*ways)]

    @cached_property
    def order(self) -> tuple[Array, Array]:
        """See ``sequences``."""
        return sequences(self.rules)

    @cached_property
    def space(self) -> tuple[Array, Array, Array, Array]:
        """Extents, what is left outside them, their distances in tables, and divisors' places."""
        rules = self.rules
        ranks = np.full((len(rules.dims), max(rules.bounds, default=1) + 1), -1, np.int64)
        for dim, sizes in enumerate(rules.sizes):
            ranks[dim, sizes] = np.arange(len(sizes))
        return rules.extents, rules.left, rules.weights, ranks

    @cached_property
    def loops(self) -> list[tuple[Array, Array]]:
        """Per level the loops of each dim at each extent, as steps to the extents they make."""
        return [self._loops(level) for level in range(len(self.rules.keeps))]

    def _loops(self, level: int) -> tuple[Array, Array]:
        rules = self.rules
        most = max((len(sizes) for sizes in rules.sizes), default=0)
        starts = np.zeros((len(rules.dims), most + 1), np.int64)
        options: list[int] = []
        for dim, sizes in enumerate(rules.sizes):
            for place, size in enumerate(sizes):
                starts[dim, place] = len(options)
                if rules.temporal[level, dim]:
                    larger = np.flatnonzero(sizes % size == 0)
                    options += [int(other) - place for other in larger]
                else:
                    options.append(0)
            starts[dim, len(sizes) :] = len(options)
        return starts, np.array(options or [0], np.int64)


class _Run:
    """One way to charge, one price."""

    def __init__(
        self, mapper: LayerMapper, shared: Array, price: float, known: float, most: int | None
    ) -> None:
        self.mapper = mapper
        self.rules = mapper.rules
        self.shared = shared
        self.price = price
        self.known = known
        self.most = most

    @cached_property
    def ahead(self) -> Outlook:
        return outlook(self.rules, self.shared)

    @cached_property
    def facts(self) -> tuple[object, ...]:
        """What the kernels call ``rules``."""
        rules = self.rules
        slides = rules.sliding if rules.sliding >= 0 else 0
        return (
            rules.relevant,
            rules.along,
            rules.sliding,
            rules.first_free,
            rules.outputs,
            rules.keeps,
            rules.rates,
            self.shared,
            rules.tiles,
            rules.axis_words,
            rules.coefficients[slides],
            rules.apart,
        )

    @cached_property
    def bounds(self) -> tuple[Array, ...]:
        """What the kernels call ``bounds``."""
        ahead, rules = self.ahead, self.rules
        levels = len(rules.keeps)
        goes_on = np.zeros((levels, len(rules.extents)))
        ends = np.zeros((levels, len(rules.extents)))
        for level in reversed(range(levels - 1)):
            ends[level] = goes_on[level + 1] + self._own(level)
            ends[level][~rules.fitting[level]] = inf
            goes_on[level] = over_multiples(rules, ends[level])
        return (
            ahead.spreads,
            ahead.alike,
            ahead.reads,
            ahead.updates,
            ahead.still,
            ahead.reductions,
            goes_on,
            ends,
            goes_on,
            rules.fitting,
        )

    def _own(self, level: int) -> Array:
        """Return the least energy of a level's own tiles; exact next to the outermost level."""
        rules, least = self.rules, own(self.rules, level, self.ahead, self.shared)
        outermost = len(rules.keeps) - 1
        if level < outermost - 1 or len(rules.spreads[outermost]) > 1:
            return least
        values = np.zeros((len(rules.extents), VALUES))
        places = np.zeros((len(rules.extents), PLACES), np.int64)
        kernels.open_all(values, places, level, rules.left.prod(1).astype(float), self.facts)
        found, _ = kernels.finish(
            values, places, outermost, self.mapper.space, self.mapper.order, self.facts,
            rules.widths, 0.0,
        )  # fmt: skip
        cost = found[:, 0]
        if not rules.keeps[level, rules.outputs]:
            # Their saving is told where they come from.
            cost = cost + rules.words[rules.outputs] * rules.rates[outermost, 0]
        return np.maximum(cost, least)

    def result(self) -> Found | None:
        """Return the best mapping, or None where none is better than the known one."""
        stages = self._stages()
        if stages is None:
            return None
        last, rules = stages[-1], self.rules
        outermost = len(rules.keeps) - 1
        found, rows = kernels.finish(
            last.values, last.places, outermost, self.mapper.space, self.mapper.order, self.facts,
            rules.widths, self.price,
        )  # fmt: skip
        at = int(found[:, 0].argmin())
        cost, energy, cycles = map(float, found[at])
        if cost >= self.known:
            return None
        return Found(cost, energy, cycles, self._nest(stages, at, int(rows[at])))

    @property
    def least(self) -> float:
        """Least energy of any mapping, from the tables of what is to come alone."""
        rules = self.rules
        return rules.macs * rules.machine.arithmetic.energy_pj + float(self.bounds[6][0, 0])

    def _begin(self) -> tuple[Array, Array]:
        """Return the partial mapping without any loop: the arithmetic alone."""
        rules = self.rules
        values, places = np.zeros((1, VALUES)), np.zeros((1, PLACES), np.int64)
        values[0, PAID] = rules.macs * rules.machine.arithmetic.energy_pj
        values[0, CYCLES] = rules.macs
        values[0, SEEN : SEEN + 3] = rules.macs
        return values, places

    def _stages(self) -> list[_Stage] | None:
        rules = self.rules
        values, places = self._begin()
        straight = bool(np.isinf(rules.widths).all())
        stages = []
        levels = range(len(rules.keeps))
        for level in levels:
            factors = np.ascontiguousarray(rules.spreads[level].prod(1))
            values, places = kernels.spread_all(
                values, places, level, factors, self.mapper.space, self.facts, self.bounds,
                self.price, straight, self.known,
            )  # fmt: skip
            stages.append(self._kept(values, places))
            if level < levels[-1]:
                values, places = kernels.loop_all(
                    stages[-1].values, stages[-1].places, level, self.mapper.loops[level],
                    self.mapper.space, self.mapper.order, self.facts, self.bounds, rules.widths,
                    self.price, straight, self.known,
                )  # fmt: skip
                stages.append(self._kept(values, places))
            if not len(stages[-1].values):
                return None
            values, places = stages[-1].values, stages[-1].places
        return stages

    def _kept(self, values: Array, places: Array) -> _Stage:
        if self.most is None or len(values) <= self.most:
            return _Stage(values, places)
        best = np.argpartition(values[:, BOUND], self.most)[: self.most]
        return _Stage(values[best], places[best])

    def _nest(self, stages: Sequence[_Stage], at: int, row: int) -> LoopNest:
        """Return the mapping that ends as ``at`` in the last stage, with its outermost order."""
        rules, levels = self.rules, len(self.rules.keeps)
        nest = unit_mapping(levels, count=len(rules.problem.bounds))
        self._loop(nest, levels - 1, stages[-1].places[at][EXTENT], len(rules.extents) - 1, row)
        for number in reversed(range(len(stages))):
            place = stages[number].places[at]
            level, at = number // 2, int(place[PARENT])
            inner = stages[number - 1].places[at][EXTENT] if number else 0
            if number % 2:
                self._loop(nest, level, inner, place[EXTENT], int(place[CHOICE]))
            else:
                for axis, factors in enumerate(rules.spreads[level][place[CHOICE]]):
                    for dim, factor in zip(rules.dims, factors, strict=True):
                        nest.spatial[level, axis, dim] = float(factor)
        return nest

    def _loop(self, nest: LoopNest, level: int, inner: int, outer: int, row: int) -> None:
        rules = self.rules
        factors = rules.extents[outer] // rules.extents[inner]
        for dim, factor in zip(rules.dims, factors, strict=True):
            nest.temporal[level, dim] = float(factor)
        first = [rules.dims[dim] for dim in self.mapper.order[0][row] if dim >= 0]
        rest = [dim for dim in range(nest.order.shape[-1]) if dim not in first]
        nest.order[level] = torch.tensor([*rest, *reversed(first)])
