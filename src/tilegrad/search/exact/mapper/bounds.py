"""Least costs of what partial mappings have not reached: tables over tile extents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tilegrad.search.exact.mapper.rules import Array, Rules


@dataclass(frozen=True)
class Outlook:
    """What may still come after each stage: the spread of a level (even), its loops (odd).

    ``spreads [stage]``: the widest product of all spreads to come; ``alike [stage, tensor]``: of
    those up to the next level that keeps the tensor, how many instances share a word at most;
    ``reads [stage, tensor]`` and ``updates [stage]``: least energy of a word there; ``still
    [tensor, extent]``: by how much loops to come divide what stands still at most;
    ``reductions [stage]``: the widest spread of partial sums' reductions to come.
    """

    spreads: Array
    alike: Array
    reads: Array
    updates: Array
    still: Array
    reductions: Array


def outlook(rules: Rules, shared: Array) -> Outlook:
    """Return what may come; ``shared [level]`` clusters by which levels are charged (0: words)."""
    levels = len(rules.keeps)
    widest = np.array([each.prod((1, 2)).max() for each in rules.spreads], np.float64)
    above = np.array([widest[level + 1 :].prod() for level in range(levels)])
    common = np.array([_common(rules, level) for level in range(levels)])
    scale = np.where(shared > 0, shared / above, 1.0)
    reductions = _reductions(rules)
    spreads, alike = np.ones(2 * levels), np.ones((2 * levels, 3))
    reads, updates = np.zeros((2 * levels, 3)), np.zeros(2 * levels)
    reduced = np.ones(2 * levels)
    for stage in range(2 * levels):
        level = stage // 2
        spreads[stage] = above[level]
        reduced[stage] = reductions[level + 1 :].prod()
        for tensor in range(3):
            if stage == 2 * level and rules.keeps[level, tensor]:
                continue
            parent = next((k for k in range(level + 1, levels) if rules.keeps[k, tensor]), None)
            if parent is None:
                continue
            alike[stage, tensor] = common[level + 1 : parent + 1, tensor].prod()
            reads[stage, tensor] = rules.rates[parent, 0] * scale[parent]
            if tensor == rules.outputs:
                updates[stage] = rules.rates[parent, 2] * scale[parent]
    return Outlook(spreads, alike, reads, updates, _still(rules), reduced)


def _common(rules: Rules, level: int) -> list[float]:
    """Return per tensor how many of the instances below a level share a word at most."""
    factors = rules.spreads[level].prod(1)
    found = []
    for tensor in range(3):
        still = ~rules.relevant[tensor]
        if tensor == rules.sliding:
            still = still | (rules.along > 0)
        found.append(float(factors[:, still].prod(1).max()))
    return found


def _reductions(rules: Rules) -> Array:
    still = ~rules.relevant[rules.outputs]
    return np.array([each.prod(1)[:, still].prod(1).max() for each in rules.spreads], np.float64)


def _still(rules: Rules) -> Array:
    found = np.ones((3, len(rules.extents)))
    for tensor in range(3):
        found[tensor] = rules.left[:, ~rules.relevant[tensor]].prod(1)
    if rules.sliding >= 0:
        along = [rules.left[:, rules.along == axis].prod(1) for axis in (1, 2)]
        found[rules.sliding] *= np.maximum(*along)
    return found


def own(rules: Rules, level: int, ahead: Outlook, shared: Array) -> Array:
    """Return the least energy of moving a level's own tiles, ``[extent]``."""
    cost = np.zeros(len(rules.extents))
    stage, outside = 2 * level + 1, rules.left.prod(1)
    scale = shared[level] / ahead.spreads[stage] if shared[level] > 0 else 1.0
    for tensor in np.flatnonzero(rules.keeps[level]):
        if tensor == rules.outputs:
            # What returns may be nothing, and the first partial sums are not read: served words
            # were charged as if all were.
            first = rules.rates[level, 0] * ahead.reductions[stage] * scale
            cost += rules.words[tensor] * (ahead.updates[stage] - first)
            continue
        least = rules.tiles[tensor] * outside / ahead.still[tensor]
        cost += least * rules.rates[level, 1] * scale
        cost += least * ahead.reads[stage, tensor] / ahead.alike[stage, tensor]
    return cost


def over_multiples(rules: Rules, table: Array) -> Array:
    """Return the least of ``table [extent]`` over all extents that are multiples, dim by dim."""
    grid = table.reshape([len(sizes) for sizes in rules.sizes])
    for dim, sizes in enumerate(rules.sizes):
        grid = np.moveaxis(grid, dim, 0).copy()
        for place, size in enumerate(sizes):
            multiples = np.flatnonzero(sizes % size == 0)
            grid[place] = grid[multiples].min(0)
        grid = np.moveaxis(grid, 0, dim)
    return np.ascontiguousarray(grid).reshape(-1)
