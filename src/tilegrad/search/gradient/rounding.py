"""From the descent's leaders to legal mappings: the nearest ones, and those to begin polishing."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tilegrad.mapping import LoopNest, stack
from tilegrad.mapping.space import TEMPORAL
from tilegrad.search.budget import Budget
from tilegrad.search.distinct import distinct
from tilegrad.search.gradient.chooser import PooledDesign
from tilegrad.search.gradient.polish import seeds
from tilegrad.search.gradient.pool import LayerPool
from tilegrad.search.tables import LayerTable

ROUNDING_SHARE = 0.5
"""Share of a budget of seconds after which rounding leaves out the neighbours of leaders."""


def rounded(table: LayerTable, logs: Tensor, budget: Budget, random: torch.Generator) -> Tensor:
    """Return distinct factors ``[row, slot]`` near a layer's leaders ``logs [start, slot]``.

    The smallest mapping, all of it in DRAM, is among them: it fits wherever any does.
    """
    factors, smallest = logs.exp()[:, : len(table.space.slots)], table.smallest()
    if budget.part(ROUNDING_SHARE).over:
        found = torch.cat([table.nearest(factors), smallest])
    else:
        found = torch.cat([table.neighbours(factors), smallest, seeds(table, random)])
    return found[distinct(found)]


def between(table: LayerTable, known: Tensor) -> Tensor:
    """Return factors ``[row, slot]`` near a layer's known ones ``[design, slot]`` and between them.

    Between two designs lie their geometric means, whose meshes are those of either or between
    too; the smallest mapping is one of the designs.
    """
    designs = torch.cat([known, table.smallest()])
    one, other = torch.combinations(torch.arange(len(designs)), 2).unbind(1)
    means = (designs[one] * designs[other]).sqrt()
    spread = torch.tensor([slot.axis != TEMPORAL for slot in table.space.slots])
    mixed = [torch.where(spread, designs[each], means) for each in (one, other)]
    return torch.cat([table.neighbours(torch.cat([known, means])), table.nearest(torch.cat(mixed))])


def nearest(tables: Sequence[LayerTable], logs: Tensor, orders: Tensor, budget: Budget) -> LoopNest:
    """Return the legal designs ``[start, layer]`` nearest to ``logs [start, layer, slot]``.

    ``orders [start, layer]`` are indices of the layers' candidate orders.
    """
    nests = []
    for layer, table in enumerate(tables):
        budget.check()
        factors = logs[:, layer, : len(table.space.slots)].exp()
        nests.append(table.nests(table.nearest(factors), orders[:, layer]))
    return across_layers(nests)


def picked(
    tables: Sequence[LayerTable], pools: Sequence[LayerPool], design: PooledDesign
) -> LoopNest:
    """Return the mappings ``[1, layer]`` of a design chosen from the pools."""
    return across_layers(
        [
            table.nests(pool.factors[row : row + 1], pool.order[row : row + 1])
            for table, pool, row in zip(tables, pools, design.rows, strict=True)
        ]
    )


def across_layers(nests: list[LoopNest]) -> LoopNest:
    """Return mappings ``[design, layer]`` from one batch ``[design]`` per layer."""
    return stack(nests).each(lambda tensor: tensor.movedim(0, 1))
