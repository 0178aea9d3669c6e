"""Rounding by solving, then exact local moves: blocks of dims solved jointly for each layer."""

from __future__ import annotations

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.expression import values
from tilegrad.cost.footprint import Footprint
from tilegrad.cost.latency import LatencyModel, model_footprint
from tilegrad.mapping import LoopNest
from tilegrad.nest.layout import Layout
from tilegrad.search.budget import Budget
from tilegrad.search.distinct import distinct
from tilegrad.search.gradient.focus import Focus
from tilegrad.search.gradient.pool import LayerPool, merge
from tilegrad.search.points import Points
from tilegrad.search.tables import LayerTable, blocks

CHUNK = 4096
"""Rows analysed at once, each with every candidate order of its layer."""


DRAWN = 100_000
"""Random mappings of a layer that are drawn to find some that fit."""

SEED_ROWS = 64_000
"""Random mappings analysed for a layer, all candidate orders counted."""


def evaluate(
    table: LayerTable, factors: Tensor, focus: Focus, budget: Budget
) -> tuple[list[LayerPool], int]:
    """Analyse ``factors [row, slot]`` with all orders; return the useful ones, and how many.

    Rows that fit no point of the focus are left out before the analysis. Time may run out.
    """
    useful = []
    analysed = 0
    for chunk in factors.split(CHUNK):
        budget.check()
        fitting = chunk[_fits(table, chunk, focus.points)]
        if len(fitting):
            pool = candidates(table, fitting, focus.model)
            analysed += len(pool)
            useful.append(focus.prune(pool))
    return useful, analysed


def refine(
    table: LayerTable, pool: LayerPool, focus: Focus, most: int, budget: Budget
) -> tuple[LayerPool, int]:
    """Solve blocks of dims around the candidates that are best at some point of the focus.

    Returns the pool with what was found, pruned, and the number of mappings analysed: about
    ``most``, the best candidates first. Time may run out.
    """
    budget.check()
    best = focus.cost(pool.sums).argmin(1)
    states, wins = pool.factors[best].unique(dim=0, return_counts=True)
    states = states[wins.argsort(descending=True, stable=True)]
    rows = _around(table, states, max(1, most // len(table.orders)))
    found, analysed = evaluate(table, rows, focus, budget)
    return focus.prune(merge([pool, *found])), analysed


def candidates(table: LayerTable, factors: Tensor, model: LatencyModel) -> LayerPool:
    """Return ``factors [row, slot]`` with every candidate order of the layer, analysed."""
    rows, orders = len(factors), len(table.orders)
    nests = table.space.mapping(factors.unsqueeze(1), table.bounds, table.orders)
    accelerator = table.space.accelerator
    sums = model_footprint(model, nests, table.bounds, table.strides, accelerator)
    flat = Footprint(
        *(p.expand(rows, orders, -1).reshape(rows * orders, p.shape[-1]) for p in sums.parts)
    )
    order = torch.arange(orders).repeat(rows)
    return LayerPool(factors.repeat_interleave(orders, 0), order, flat)


def seeds(table: LayerTable, random: torch.Generator) -> Tensor:
    """Return random factors ``[row, slot]`` that fit the sizes no hardware changes; may be none.

    None where there are no such sizes: rounding the descent's best then always fits some hardware.
    """
    accelerator = table.space.accelerator
    if not accelerator.constant:
        return torch.empty(0, len(table.space.slots), dtype=torch.float64)
    drawn = table.random(DRAWN, random)
    layout = Layout(_nests(table, drawn), table.strides, accelerator)
    fitting = drawn[_fits_fixed(layout, accelerator, len(drawn))]
    fitting = fitting[distinct(fitting)]
    picked = torch.randperm(len(fitting), generator=random)[: SEED_ROWS // len(table.orders)]
    return fitting[picked]


def _nests(table: LayerTable, factors: Tensor) -> LoopNest:
    return table.space.mapping(factors, table.bounds, table.orders[0])


def _around(table: LayerTable, states: Tensor, room: int) -> Tensor:
    """Return the rows of all blocks around the states, the first states first, about ``room``."""
    rows: list[Tensor] = []
    for state in states:
        rows += [table.block(state, dims, most) for dims, most in blocks(table, room)]
        if sum(map(len, rows)) >= room or len(rows) == 1:
            break
    found = torch.cat(rows or [states])
    return found[distinct(found)]


def _fits(table: LayerTable, factors: Tensor, points: Points) -> Tensor:
    """Return which rows fit at least one hardware point."""
    accelerator = table.space.accelerator
    layout = Layout(_nests(table, factors), table.strides, accelerator)
    fits = torch.ones(len(points), len(factors), dtype=torch.bool)
    # Factors are no wider than the widest of the points' meshes, or hardly.
    for place, column in enumerate(accelerator.columns):
        if not column.is_mesh:
            words = column.need(layout).expand(len(factors))
            fits &= words <= points.limits[:, place].unsqueeze(-1)
    return fits.any(0) & _fits_fixed(layout, accelerator, len(factors))


def _fits_fixed(layout: Layout, accelerator: Accelerator, rows: int) -> Tensor:
    """Return which rows fit the sizes that no hardware changes."""
    fits = torch.ones(rows, dtype=torch.bool)
    for requirement in accelerator.constant:
        fits = fits & (requirement.need(layout) <= values(requirement.have, {}))
    return fits
