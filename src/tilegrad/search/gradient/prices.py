"""Energy and latency of layers' candidates on many hardware points, by any cost model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from tilegrad.cost.footprint import Footprint, concatenate_footprints
from tilegrad.cost.latency import LatencyModel
from tilegrad.search.goal import Weights
from tilegrad.search.gradient.pool import price
from tilegrad.search.points import Points

PAIRS_AT_ONCE = 32_768
"""Candidates, each on one hardware point, that a model is asked for together."""


WORTH = 2
"""Points for each row, on average, from which a bound for all points saves more than it takes."""

ROUNDING = 1e-9
"""Of a bound, so that it stays one."""


_TRUE = torch.tensor(True)


class Prices(Protocol):
    """Prices ``[point, row]``, infinite where a row does not fit."""

    @property
    def energy(self) -> Tensor:
        """Energy in pJ."""
        ...

    @property
    def latency(self) -> Tensor:
        """Latency in cycles, once ``settle`` was called."""
        ...

    @property
    def guess(self) -> Tensor:
        """Some latency to begin with."""
        ...

    @property
    def settled(self) -> bool:
        """Whether all latencies are there already."""
        ...


@dataclass(frozen=True)
class NestPrices:
    """The nest's own latency costs so little that it is there from the beginning."""

    energy: Tensor
    latency: Tensor

    @property
    def guess(self) -> Tensor:
        """The latency."""
        return self.latency

    @property
    def settled(self) -> bool:
        """All of them."""
        return True


class ModelPrices:
    """Latency by a model that costs microseconds a row: asked for only where it can matter.

    No latency is below zero, so the weighted energy alone bounds a candidate's cost from below,
    and closer with a latency that the model says no point goes below: what exceeds the best cost
    by its bound need not be asked for, and stays infinite.

    Rows of one kind, between which the model sees no difference, are asked for once.
    """

    def __init__(self, sums: Footprint, points: Points, model: LatencyModel) -> None:
        assert model.learned is not None
        self.energy, self.guess = price(sums, points)
        self.points, self.model = points, model
        self._fits = self.energy < torch.inf
        every = torch.arange(len(sums.context))
        first, self._kind = sums.kinds if model.learned.by_context else (every, every)
        self.firsts = sums[first]
        self._found = self.energy.new_full((len(points), len(first)), torch.inf)
        self._open = torch.ones_like(self._found, dtype=torch.bool)
        self._latency: Tensor | None = None

    @property
    def latency(self) -> Tensor:
        """Latency ``[point, row]``, infinite where it is not known yet."""
        if self._latency is None:
            self._latency = self._found[:, self._kind].masked_fill_(~self._fits, torch.inf)
        return self._latency

    def learn(self, pairs: Tensor, cycles: Tensor) -> None:
        """Take the latencies of (point, kind) pairs ``[pair, 2]``."""
        self._found[pairs[:, 0], pairs[:, 1]] = cycles
        self._latency = None

    @property
    def settled(self) -> bool:
        """Those that were asked for alone."""
        return False

    def take(self, wanted: Tensor) -> Tensor:
        """Return (point, kind) pairs ``[pair, 2]`` of ``wanted [point, row]`` not asked for yet."""
        point, row = (wanted & self._fits).nonzero().unbind(1)
        kinds = torch.zeros_like(self._open).index_put_((point, self._kind[row]), _TRUE)
        kinds &= self._open
        self._open &= ~kinds
        return kinds.nonzero()

    def likely(self, weights: Weights) -> Tensor:
        """Return for each point the row that is likely best, ``[point, row]``."""
        best = weighted(self.energy, self.guess, weights).argmin(1, keepdim=True)
        return torch.zeros_like(self._fits).scatter(1, best, True)

    def possible(self, weights: Weights, slack: float) -> Tensor:
        """Return what may be within ``slack`` of the best cost that is known, ``[point, row]``."""
        for_energy, for_latency = (weight.unsqueeze(-1) for weight in weights)
        enough = weighted(self.energy, self.latency, weights).amin(1, keepdim=True) * (1 + slack)
        energy = self.energy * for_energy
        # A weight of zero: some other layer has no candidate that fits the point.
        possible = (energy <= enough) & (for_energy > 0) & self._unasked
        rows = possible.any(0).nonzero().flatten()
        if int(possible.sum()) > WORTH * len(rows):
            least = self._least(rows)
            if least is not None:
                possible[:, rows] &= energy[:, rows] + least * for_latency <= enough
        return possible

    @property
    def _unasked(self) -> Tensor:
        """Where latencies have not been asked for, of what fits, ``[point, row]``."""
        return self._fits & self._open[:, self._kind]

    def _least(self, rows: Tensor) -> Tensor | None:
        """Return the rows' latencies at least, on all points, ``[row]``; None: not known."""
        assert self.model.learned is not None
        kinds, kind = self._kind[rows].unique(return_inverse=True)
        with torch.no_grad():
            found = self.model.learned.least(
                self.firsts[kinds], self.points.accelerator, self.points.hardware
            )
        return None if found is None else found[kind] * (1 - ROUNDING)


def weighted(energy: Tensor, latency: Tensor, weights: Weights) -> Tensor:
    """Return the weighted costs ``[point, row]``, infinite where a row does not fit."""
    for_energy, for_latency = (weight.unsqueeze(-1) for weight in weights)
    cost = energy * for_energy + latency * for_latency
    return cost.nan_to_num(nan=torch.inf, posinf=torch.inf)


def prices(sums: Footprint, points: Points, model: LatencyModel) -> Prices:
    """Return the prices of one layer's candidates ``[row]`` on all points."""
    if model.learned is None:
        return NestPrices(*price(sums, points))
    return ModelPrices(sums, points, model)


def settle(layers: Sequence[Prices], weights: Sequence[Weights], slack: float) -> None:
    """See that each layer has all latencies whose weighted cost is within ``slack`` of its best.

    ``weights`` are each layer's own.

    All layers are asked for together, the likely best first: a model's answer costs about as much
    for one row as for a thousand.
    """
    pairs = zip(layers, weights, strict=True)
    asked = [(layer, each) for layer, each in pairs if isinstance(layer, ModelPrices)]
    models = [layer for layer, _ in asked]
    _ask(models, [layer.likely(each) for layer, each in asked])
    _ask(models, [layer.possible(each, slack) for layer, each in asked])


def _ask(layers: Sequence[ModelPrices], wanted: Sequence[Tensor]) -> None:
    """Ask for what is wanted of each layer ``[point, row]``, ``PAIRS_AT_ONCE`` at a time."""
    batch: list[tuple[ModelPrices, Tensor]] = []
    for layer, mask in zip(layers, wanted, strict=True):
        for pairs in layer.take(mask).split(PAIRS_AT_ONCE):
            if sum(len(waiting) for _, waiting in batch) + len(pairs) > PAIRS_AT_ONCE:
                _answer(batch)
                batch = []
            if len(pairs):
                batch.append((layer, pairs))
    if batch:
        _answer(batch)


def _answer(batch: Sequence[tuple[ModelPrices, Tensor]]) -> None:
    """Fill in the latencies of (point, kind) pairs ``[pair, 2]`` of layers on the same points."""
    first, _ = batch[0]
    sums = concatenate_footprints([layer.firsts[pairs[:, 1]] for layer, pairs in batch])
    points = torch.cat([pairs[:, 0] for _, pairs in batch])
    hardware = {name: value[points] for name, value in first.points.hardware.items()}
    found = first.model.cycles(sums, first.points.accelerator, hardware)
    for (layer, pairs), cycles in zip(
        batch, found.split([len(pairs) for _, pairs in batch]), strict=True
    ):
        layer.learn(pairs, cycles)
