"""Which programs to measure next: by how much they are expected to improve the network.

The improvement is that of the network's objective over the best measured design, expected over
what the prediction leaves open: log-normal cycles with its mean and deviation (expected
improvement, Jones et al., J. Global Optimization 13, 1998; of a log-normal it is what Black and
Scholes price).
A promising program has a large one, and so has an uncertain one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import torch
from torch import Tensor

from tilegrad.measuring.programs import Programs
from tilegrad.search.objective import Objective

ACQUISITION, SEARCH, RANDOM = CHOICES = ("acquisition", "search", "random")
"""By expected improvement; what is predicted best; any of what is near it."""

ALIKE = 0.8
"""Correlation of the errors of one layer's programs: a layer is mostly wrong as a whole."""

_LEAST_DEVIATION = 1e-6


@dataclass(frozen=True)
class Standing:
    """What each layer takes as far as is known: ``energy`` [pJ] and ``cycles [layer]``.

    ``counts [layer]`` are its executions.
    """

    energy: Tensor
    cycles: Tensor
    counts: Tensor

    def totals(self) -> tuple[Tensor, Tensor]:
        """Return the network's energy and cycles."""
        return (self.energy * self.counts).sum(), (self.cycles * self.counts).sum()

    def having(self, layer: int, energy: Tensor, cycles: Tensor) -> Standing:
        """Return the standing with other figures of one layer."""
        place = torch.arange(len(self.counts)) == layer
        return Standing(
            self.energy.where(~place, energy), self.cycles.where(~place, cycles), self.counts
        )


def improvement(programs: Programs, layer: int, standing: Standing, objective: Objective) -> Tensor:
    """Return by how much a layer's programs are expected to improve the objective, ``[row]``."""
    energy, cycles = standing.totals()
    count = standing.counts[layer]
    one = torch.ones((), dtype=torch.float64)
    now = objective.value(energy, cycles, one)
    # Value = slope * (cycles of the others + count * cycles of this one).
    slope = objective.value(energy + count * (programs.energy - standing.energy[layer]), one, one)
    others = cycles - count * standing.cycles[layer]
    enough = ((now / slope - others) / count).clamp(min=1e-9)
    deviation = programs.deviation.clamp(min=_LEAST_DEVIATION)
    reach = (enough.log() - programs.mean) / deviation
    mean = (programs.mean + deviation.square() / 2).exp()
    normal = torch.special.ndtr
    gain = enough * normal(reach) - mean * normal(reach - deviation)
    return (slope * count * gain).clamp(min=0)


def chosen(
    programs: Sequence[Programs],
    measured: Sequence[Collection[str]],
    standing: Standing,
    objective: Objective,
    count: int,
    choice: str,
    random: torch.Generator,
) -> list[tuple[int, int]]:
    """Return layers and rows of up to ``count`` programs that were not measured, in order.

    A layer of which nothing was ``measured`` comes first, with the program predicted best, the
    layers that weigh most before others. A program that was chosen counts for the next one as if
    it had taken what is predicted, and its layer's others are as much less uncertain.
    """
    open_rows = [
        torch.tensor([call not in seen for call in each.calls], dtype=torch.bool)
        for each, seen in zip(programs, measured, strict=True)
    ]
    weight = standing.counts * (
        standing.energy / standing.totals()[0] + standing.cycles / standing.totals()[1]
    )
    first = [
        (layer, 0)
        for layer in weight.argsort(descending=True, stable=True).tolist()
        if len(programs[layer]) and not measured[layer]
    ][:count]
    found = list(first)
    for layer, row in first:
        open_rows[layer][row] = False
    whole = [each.deviation for each in programs]
    while len(found) < count and any(bool(rows.any()) for rows in open_rows):
        programs = [
            replace(each, deviation=before * _left(sum(layer == place for layer, _ in found)))
            for place, (each, before) in enumerate(zip(programs, whole, strict=True))
        ]
        layer, row = _next(programs, open_rows, standing, objective, choice, random)
        found.append((layer, row))
        open_rows[layer][row] = False
        standing = _believing(programs[layer], layer, row, standing, objective)
    return found


def _left(seen: int) -> float:
    """Return what is left of a program's deviation once others of its layer are ``seen``.

    Errors are normal, with one correlation between any two.
    """
    return sqrt(1 - seen * ALIKE**2 / (1 + max(0, seen - 1) * ALIKE))


def _next(
    programs: Sequence[Programs],
    open_rows: Sequence[Tensor],
    standing: Standing,
    objective: Objective,
    choice: str,
    random: torch.Generator,
) -> tuple[int, int]:
    places = [
        (layer, row)
        for layer, rows in enumerate(open_rows)
        for row in rows.nonzero().flatten().tolist()
    ]
    if choice == RANDOM:
        return places[int(torch.randint(len(places), (), generator=random))]
    gains = []
    for layer, each in enumerate(programs):
        gain = (
            improvement(each, layer, standing, objective)
            if choice == ACQUISITION
            else -_believed(each, layer, standing, objective)
        )
        gains.append(gain[open_rows[layer]])
    return places[int(torch.cat(gains).argmax())]


def _believed(programs: Programs, layer: int, standing: Standing, objective: Objective) -> Tensor:
    """Return the objective with each of a layer's programs, as it is predicted, ``[row]``."""
    energy, cycles = standing.totals()
    count, one = standing.counts[layer], torch.ones((), dtype=torch.float64)
    return objective.value(
        energy + count * (programs.energy - standing.energy[layer]),
        cycles + count * (programs.mean.exp() - standing.cycles[layer]),
        one,
    )


def _believing(
    programs: Programs, layer: int, row: int, standing: Standing, objective: Objective
) -> Standing:
    there = standing.having(layer, programs.energy[row], programs.mean[row].exp())
    one = torch.ones((), dtype=torch.float64)
    better = objective.value(*there.totals(), one) < objective.value(*standing.totals(), one)
    return there if better else standing
