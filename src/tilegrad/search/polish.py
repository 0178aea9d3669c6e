"""Rounding by solving, then exact local moves: blocks of dims solved jointly for each layer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.cost.footprint import Footprint, footprint
from tilegrad.nest import analyse
from tilegrad.nest.layout import Layout
from tilegrad.search.pool import LayerPool, Points, merge, price
from tilegrad.search.tables import LayerTable, blocks

CHUNK = 4096
"""Rows analysed at once, each with every candidate order of its layer."""

BLOCK_ROWS = 16384
"""Legal combinations of a block of dims that are solved jointly."""


@dataclass(frozen=True)
class Focus:
    """Hardware points of interest and the weights of energy and latency there, ``[point]``.

    A candidate is kept where its weighted cost is within ``slack`` of the best at some point.
    """

    points: Points
    weights: tuple[Tensor, Tensor]
    slack: float

    def cost(self, sums: Footprint) -> Tensor:
        """Return weighted costs ``[point, row]``, infinite where a mapping does not fit."""
        energy, latency = price(sums, self.points)
        cost = energy * self.weights[0].unsqueeze(-1) + latency * self.weights[1].unsqueeze(-1)
        return cost.nan_to_num(nan=torch.inf)

    def prune(self, pool: LayerPool) -> LayerPool:
        """Return the candidates that are near the best at some point."""
        cost = self.cost(pool.sums)
        enough = cost.amin(1, keepdim=True) * (1 + self.slack)
        return pool[((cost <= enough) & (cost < torch.inf)).any(0)]


def evaluate(table: LayerTable, factors: Tensor, focus: Focus) -> tuple[list[LayerPool], int]:
    """Analyse ``factors [row, slot]`` with all orders; return the useful ones, and how many.

    Rows that fit no point of the focus are left out before the analysis.
    """
    useful = []
    analysed = 0
    for chunk in factors.split(CHUNK):
        fitting = chunk[_fits(table, chunk, focus.points)]
        if len(fitting):
            pool = candidates(table, fitting)
            analysed += len(pool)
            useful.append(focus.prune(pool))
    return useful, analysed


def refine(table: LayerTable, pool: LayerPool, focus: Focus) -> tuple[LayerPool, int]:
    """Solve every block of dims around the candidates that are best at some point of the focus.

    Returns the pool with what was found, pruned, and the number of mappings analysed.
    """
    states = pool.factors[focus.cost(pool.sums).argmin(1)].unique(dim=0)
    rows = [_around(table, states, dims) for dims in blocks(table, BLOCK_ROWS)]
    found, analysed = evaluate(table, torch.cat(rows).unique(dim=0), focus)
    return focus.prune(merge([pool, *found])), analysed


def candidates(table: LayerTable, factors: Tensor) -> LayerPool:
    """Return ``factors [row, slot]`` with every candidate order of the layer, analysed."""
    rows, orders = len(factors), len(table.orders)
    nests = table.space.mapping(factors.unsqueeze(1), table.bounds, table.orders)
    sums = footprint(analyse(nests, table.strides, table.space.accelerator), table.space.accelerator)
    flat = Footprint(
        *(
            part.expand(rows, orders, -1).reshape(rows * orders, -1)
            for part in (sums.energy_words, sums.port_words, sums.fanout, sums.kept_words)
        )
    )
    order = torch.arange(orders).repeat(rows)
    return LayerPool(factors.repeat_interleave(orders, 0), order, flat)


def _around(table: LayerTable, states: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Return the rows of a block around each state; states alike outside the block count once."""
    outside = [i for i, slot in enumerate(table.space.slots) if slot.dim not in dims]
    if not outside:
        return table.block(states[0], dims)
    free = torch.ones_like(states)
    free[:, outside] = states[:, outside]
    return torch.cat([table.block(state, dims) for state in free.unique(dim=0)])


def _fits(table: LayerTable, factors: Tensor, points: Points) -> Tensor:
    """Return which rows fit at least one hardware point."""
    accelerator = table.space.accelerator
    nests = table.space.mapping(factors, table.bounds, table.orders[0])
    layout = Layout(nests, table.strides, accelerator)
    fits = torch.ones(len(points), len(factors), dtype=torch.bool)
    for column, level in enumerate(accelerator.capacity_parameters.values()):
        tiles = [layout.tile(accelerator.levels.index(level), tensor) for tensor in level.keeps]
        words = torch.stack(torch.broadcast_tensors(*tiles)).sum(0).expand(len(factors))
        fits &= words <= points.limits[:, column].unsqueeze(-1)
    return fits.any(0)
