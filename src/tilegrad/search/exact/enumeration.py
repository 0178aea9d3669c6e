"""All mappings of a layer, one after another, and what they ask of hardware: compiled.

Costs are those of ``tilegrad.cost``; tests compare them. Arrays: ``space``, ``layout`` and
``ranges`` are those of ``Tables``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tilegrad.search.exact.counting import count, room_for, tile_of
from tilegrad.search.exact.mapper.compiled import compiled

Array = np.ndarray

ROUNDING = 1e-12
"""Relative error of a latency that is about to be rounded up."""

CONSTANT, CYCLES, ABOVE, WORDS = 0, 1, 2, 3
"""Columns of figures: pJ that no size changes, cycles, pJ above a cap on power (0 where there is
none), then words by group, then needs."""


@compiled
def enumerate_rows(
    first: int, last: int, space: Any, layout: Any, orders: Array, ranges: Any
) -> Any:
    """Return rows of the tiles from ``first`` to before ``last``, for each range of meshes.

    ``figures [range, row, figure]``, ``places [range, row]`` in the layer's list of tile and order,
    and how many rows of each range there are: of each tile's those that no other undercuts.
    """
    constant, group, blocks, ports, kinds, widths, groups, columns, needs, _, shared, power = ranges
    every, levels, dims = len(constant), orders.shape[1], orders.shape[2]
    compared = WORDS + groups
    most = (last - first) * len(orders)
    figures = np.empty((every, most, compared + columns))
    places = np.empty((every, most), dtype=np.int64)
    sizes, begun = np.zeros(every, dtype=np.int64), np.zeros(every, dtype=np.int64)
    temporal, spatial = np.empty((levels, dims)), np.empty((levels, 2, dims))
    room, accesses = room_for(levels, dims, layout[1].shape[1]), np.zeros((levels, 3, 3))
    row, used = np.empty(compared + columns), np.empty(levels)
    for place in range(first, last):
        _factors(place, space, temporal, spatial)
        tile = tile_of(temporal, spatial, layout)
        if _is_over(tile, layout, ranges[9]):
            continue
        instances, spread, steps = tile[5], tile[6], tile[7]
        macs = steps
        for level in range(levels):
            macs *= spread[level, 0] * spread[level, 1]
            used[level] = min(instances[level], shared[level])
        begun[:] = sizes
        _needs(tile, layout, needs, row[compared:])
        for order in range(len(orders)):
            count(temporal, orders[order], layout, tile, room, accesses)
            for at in range(every):
                row[:compared] = 0.0
                _energies(accesses, macs, used, constant[at], group[at], blocks[at], row)
                row[CYCLES] = _cycles(accesses, steps, ports, kinds, widths[at])
                row[ABOVE] = row[CONSTANT] - power * row[CYCLES] if power < np.inf else 0.0
                sizes[at] = _keep(
                    figures[at],
                    places[at],
                    begun[at],
                    sizes[at],
                    row,
                    place * len(orders) + order,
                    compared,
                )
    return figures, places, sizes


@compiled
def _factors(place: int, space: Any, temporal: Array, spatial: Array) -> None:
    """Fill in the loops of a choice of factors; the last dim's choice changes first."""
    counts, starts, widths, values, slot_level, slot_axis, bounds = space
    temporal[:], spatial[:] = 1.0, 1.0
    for dim in range(len(counts) - 1, -1, -1):
        choice = place % counts[dim]
        place //= counts[dim]
        left = bounds[dim]
        for slot in range(widths[dim]):
            factor = values[starts[dim] + choice * widths[dim] + slot]
            left /= factor
            if slot_axis[dim, slot] < 0:
                temporal[slot_level[dim, slot], dim] = factor
            else:
                spatial[slot_level[dim, slot], slot_axis[dim, slot], dim] = factor
        temporal[-1, dim] = left


@compiled
def _need(level: int, axis: int, tile: Any, layout: Any) -> float:
    """Instances along a mesh axis; or, where that is -1, the words of one instance of a level."""
    if axis >= 0:
        return tile[6][level, axis]
    words = 0.0
    for tensor in range(3):
        if layout[5][level, tensor] > -2:
            words += tile[2][level, tensor]
    return words


@compiled
def _is_over(tile: Any, layout: Any, limits: Any) -> bool:
    """Return whether a limit that no size changes is exceeded."""
    levels, axes, most = limits
    over = False
    for at in range(len(levels)):
        over = over or _need(levels[at], axes[at], tile, layout) > most[at]
    return over


@compiled
def _needs(tile: Any, layout: Any, needs: Any, row: Array) -> None:
    """Fill in what a choice of factors needs of each column: the most that any asks of it."""
    row[:] = 0.0
    levels, axes, columns = needs
    for each in range(len(levels)):
        need = _need(levels[each], axes[each], tile, layout)
        row[columns[each]] = max(row[columns[each]], need)


@compiled
def _energies(
    accesses: Array,
    macs: float,
    used: Array,
    constant: Array,
    group: Array,
    blocks: Array,
    row: Array,
) -> None:
    """Fill in what a mapping's energy comes from, in whole blocks where these have one size."""
    row[CONSTANT] = constant[0] * macs
    for level in range(len(used)):
        block = blocks[level]
        for kind in range(3):
            words = 0.0
            for tensor in range(3):
                each = accesses[level, tensor, kind]
                if block > 1 and each > 0:
                    each = np.ceil(each / block) * block
                words += each
            if words > 0:
                column = 1 + level * 3 + kind
                if group[column] >= 0:
                    row[WORDS + group[column]] += words * used[level]
                else:
                    row[CONSTANT] += words * used[level] * constant[column]


@compiled
def _cycles(accesses: Array, steps: float, levels: Array, kinds: Array, widths: Array) -> float:
    """Latency with ports of these ``widths`` [words per cycle], in whole cycles."""
    cycles = steps
    for port in range(len(levels)):
        words = 0.0
        for kind in range(3):
            if kinds[port, kind]:
                for tensor in range(3):
                    words += accesses[levels[port], tensor, kind]
        cycles = max(cycles, np.ceil(words / widths[port] * (1 - ROUNDING)))
    return cycles


@compiled
def _keep(
    figures: Array, places: Array, first: int, size: int, row: Array, place: int, compared: int
) -> int:
    """Add a row to those of its tile from ``first`` on, unless one is as good; drop worse ones."""
    for other in range(first, size):
        column = 0
        while column < compared and figures[other, column] <= row[column]:
            column += 1
        if column == compared:
            return size
    kept = first
    for other in range(first, size):
        column = 0
        while column < compared and row[column] <= figures[other, column]:
            column += 1
        if column < compared:
            if kept < other:
                figures[kept] = figures[other]
                places[kept] = places[other]
            kept += 1
    figures[kept] = row
    places[kept] = place
    return kept + 1
