"""The inner loop: each layer's best of random mappings that fit given hardware."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float64
from torch import Tensor

from tilegrad.cost.hardware import Hardware
from tilegrad.mapping import LoopNest, stack
from tilegrad.mapping.sampling import Sampler
from tilegrad.search.budget import Budget
from tilegrad.search.gradient.select import selected
from tilegrad.search.points import Points, hardware_points
from tilegrad.search.problem import SearchProblem
from tilegrad.search.two_loop.drawn import Drawn

ROUNDS = 5
"""How often mappings are drawn until enough of them fit, each time ``MORE`` times as many."""

MORE = 4

MOST_DRAWN = 20_000
"""Mappings of a layer that are drawn together, about."""


class Ranker(Protocol):
    """Tells which mappings of a layer are worth to be evaluated from those that were."""

    def __call__(self, seen: Tensor, values: Tensor, candidates: Tensor, count: int) -> Tensor:
        """Return ``count`` of the ``candidates [candidate, column]``, as numbers.

        ``values [row]``: objectives of the layer alone, of mappings ``seen [row, column]``.
        """
        ...


@dataclass(frozen=True)
class Ranking:
    """``count`` of a layer's mappings on a point are the best of ``candidates`` random ones.

    As ``rank`` expects from the others, all of them as ``columns`` has them.
    """

    count: int
    candidates: int
    columns: Callable[[LoopNest], Tensor]
    rank: Ranker


@dataclass(frozen=True)
class Mapped:
    """The best found on each of some hardware: ``designs [point, layer]``, ``values [point]``.

    The objective is that on the hardware asked for, of which a design may need less; infinite
    where some layer found no mapping. ``mappings``: how many that fit were evaluated, all layers
    and points together.
    """

    designs: LoopNest
    values: Float64[Tensor, " point"]
    mappings: int


class RandomMapper:
    """Maps all layers of a problem on hardware points by random mappings, those of ``Sampler``.

    Where there is a ``ranking``, the last ones on each point are chosen by it.
    """

    def __init__(
        self, problem: SearchProblem, budget: Budget, ranking: Ranking | None = None
    ) -> None:
        self.problem = problem
        self.budget = budget
        self.ranking = ranking
        self.samplers = [
            Sampler(
                problem.accelerator.running(layer.shape), layer, problem.meshes[0], problem.padded
            )
            for layer in problem.workload.layers
        ]

    def best(
        self,
        hardware: Hardware,
        count: int,
        *randoms: torch.Generator,
        known: LoopNest | None = None,
    ) -> Mapped:
        """Return the best of ``count`` mappings of each layer that fit ``hardware [point]``.

        Each point's are drawn from a generator of its own of the ``randoms``, so that they are the
        same whatever it is mapped beside. Beside them each layer's smallest is tried, and the
        ``known [layer]`` one. Fewer are drawn where hardly any fits. Time may run out.
        """
        points = hardware_points(self.problem.accelerator, hardware)
        layers: list[Drawn] = []
        for layer in range(len(self.samplers)):
            drawn = self._begun(layer, hardware, None if known is None else known[layer])
            chosen = 0 if self.ranking is None else self.ranking.count
            self._draw(self.samplers[layer], drawn, count - chosen, randoms)
            drawn.settle()
            if self.ranking is not None and chosen:
                self._choose(self.samplers[layer], drawn, self.ranking, points.area, randoms)
            layers.append(drawn)
        return combined(layers, points, self.problem, self.budget)

    def _begun(self, layer: int, hardware: Hardware, known: LoopNest | None) -> Drawn:
        """Return a layer's first candidates on each point: its smallest and a known mapping."""
        table = self.problem.tables[layer]
        drawn = Drawn(table, hardware)
        points = torch.arange(drawn.count)
        first = [table.nests(table.smallest(), torch.zeros(1, dtype=torch.int64))]
        if known is not None:
            first.append(known.over(len(table.bounds)).alone())
        for nest in first:
            drawn.add(nest.each(lambda tensor: tensor[points * 0]), points, drawn.have + 1)
        return drawn

    def _choose(
        self,
        sampler: Sampler,
        drawn: Drawn,
        ranking: Ranking,
        area: Tensor,
        randoms: Sequence[torch.Generator],
    ) -> None:
        """Add the best of a layer's candidates on each point, of a whole area ``[point]``."""
        more = Drawn(drawn.table, drawn.hardware)
        self._draw(sampler, more, ranking.candidates, randoms)
        more.settle()
        prices = drawn.prices(self.problem.model)
        objective = self.problem.goal.objective
        values = objective.value(prices.energy, prices.latency, area.unsqueeze(-1))
        best = []
        for point in range(drawn.count):
            self.budget.check()
            seen, candidates = drawn.alone(point), more.alone(point)
            known = values[point, : int(drawn.have[point])]
            chosen = ranking.rank(
                ranking.columns(seen), known, ranking.columns(candidates), ranking.count
            )
            best.append(candidates[chosen])
        for point, nests in enumerate(best):
            at = torch.full((len(nests.temporal),), point)
            drawn.add(nests, at, drawn.have + ranking.count)
        drawn.settle()

    def _draw(
        self, sampler: Sampler, drawn: Drawn, count: int, randoms: Sequence[torch.Generator]
    ) -> None:
        """Draw until each point has ``count`` more candidates, or for ``ROUNDS`` rounds."""
        most = drawn.have + count
        narrowed: dict[int, Sampler] = {}
        for number in range(ROUNDS):
            each = min(MOST_DRAWN, count * MORE**number)
            lacking = (drawn.have < most).nonzero().flatten().tolist()
            at_once = max(1, MOST_DRAWN // each)
            for begun in range(0, len(lacking), at_once):
                self.budget.check()
                points = lacking[begun : begun + at_once]
                choices = []
                for point in points:
                    if point not in narrowed:
                        narrowed[point] = sampler.within(drawn.at(point))
                    choices.append(narrowed[point].draw_choices(each, randoms[point]))
                factors, orders = (torch.cat(parts) for parts in zip(*choices, strict=True))
                places = torch.tensor(points).repeat_interleave(each)
                drawn.add(sampler.nests(factors, orders), places, most)


def combined(
    layers: Sequence[Drawn], points: Points, problem: SearchProblem, budget: Budget
) -> Mapped:
    """Return the best design on each point of the layers' settled candidates. Time may run out."""
    priced = [drawn.prices(problem.model) for drawn in layers]
    found = selected(priced, points, problem.goal, budget)
    rows = found.rows.unbind(1)
    designs = [drawn.picked(row) for drawn, row in zip(layers, rows, strict=True)]
    return Mapped(
        stack(designs).each(lambda tensor: tensor.movedim(0, 1)),
        found.value,
        sum(map(len, layers)),
    )
