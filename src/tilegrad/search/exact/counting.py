"""The loop-nest analysis of one mapping after another, compiled.

The rules are those of ``tilegrad.nest`` for whole factors; tests compare the figures with its.
Arrays: ``temporal [level, dim]``, ``spatial [level, axis, dim]``, ``order [level, position]``;
``layout`` is ``Tables.layout``.
"""

from __future__ import annotations

from math import gcd
from typing import Any

import numpy as np

from tilegrad.search.exact.mapper.compiled import compiled

Array = np.ndarray

OUTPUTS = 2
NOT_KEPT, ARITHMETIC = -2, -1
READS, FILLS, UPDATES = 0, 1, 2


@compiled
def tile_of(temporal: Array, spatial: Array, layout: Any) -> Any:
    """Return what does not depend on loops' order.

    Extents inside a level's loops ``[level, dim]``; of a tile words along each axis
    ``[level, tensor, axis]`` and of all ``[level, tensor]``; distinct tiles served
    ``[level, tensor]``; words of Outputs that one instance sees ``[level]``; instances ``[level]``;
    extents along meshes ``[level, axis]``; steps.
    """
    relevant, child = layout[0], layout[5]
    levels = len(temporal)
    inside, extent, spread = _extents(temporal, spatial)
    along, words = _words(extent, layout)
    instances, distinct = np.ones(levels), np.ones((levels, 3))
    partition = words[:, OUTPUTS].copy()
    for level in range(levels - 1, -1, -1):
        if level < levels - 1:
            instances[level] = instances[level + 1] * spread[level + 1, 0] * spread[level + 1, 1]
        for tensor in range(3):
            for here in range(child[level, tensor] + 1, level + 1):
                if child[level, tensor] != NOT_KEPT:
                    distinct[level, tensor] *= _distinct(here, tensor, spatial, extent, layout)
        for dim in np.flatnonzero(relevant[OUTPUTS]):
            partition[:level] *= temporal[level, dim]
    return inside, along, words, distinct, partition, instances, spread, temporal.prod()


@compiled
def _extents(temporal: Array, spatial: Array) -> Any:
    """Return extents inside a level's loops, of its tile (from ``[level + 1]`` on), and meshes'."""
    levels, dims = temporal.shape
    inside, extent = np.empty((levels, dims)), np.ones((levels + 1, dims))
    spread = np.ones((levels, 2))
    for level in range(levels):
        for dim in range(dims):
            wide = spatial[level, 0, dim] * spatial[level, 1, dim]
            inside[level, dim] = extent[level, dim] * wide
            extent[level + 1, dim] = inside[level, dim] * temporal[level, dim]
            for axis in range(2):
                spread[level, axis] *= spatial[level, axis, dim]
    return inside, extent, spread


@compiled
def _words(extent: Array, layout: Any) -> Any:
    """Return the words of each tensor's tile along its axes, and of all of it."""
    _, axis_dims, axis_steps, axis_slides, axis_counts, _, _, _ = layout
    levels, axes = len(extent) - 1, axis_dims.shape[1]
    along, words = np.ones((levels, 3, axes)), np.ones((levels, 3))
    for level in range(levels):
        for tensor in range(3):
            for axis in range(axis_counts[tensor]):
                size = extent[level + 1, axis_dims[tensor, axis, 0]]
                if axis_slides[tensor, axis]:
                    size = (size - 1) * axis_steps[tensor, axis, 0] + 1
                    other = axis_dims[tensor, axis, 1]
                    if other >= 0:
                        size += (extent[level + 1, other] - 1) * axis_steps[tensor, axis, 1]
                along[level, tensor, axis] = size
                words[level, tensor] *= size
    return along, words


@compiled
def _distinct(level: int, tensor: int, spatial: Array, extent: Array, layout: Any) -> float:
    """Distinct tiles of a tensor over one level's instances; ``extent [level + 1]`` of tiles."""
    _, axis_dims, axis_steps, _, axis_counts, _, _, _ = layout
    found = 1.0
    for axis in range(axis_counts[tensor]):
        one, other = axis_dims[tensor, axis, 0], axis_dims[tensor, axis, 1]
        count = spatial[level, 0, one] * spatial[level, 1, one]
        if other < 0:
            found *= count
            continue
        more = spatial[level, 0, other] * spatial[level, 1, other]
        step = round(extent[level, one] * axis_steps[tensor, axis, 0])
        step_more = round(extent[level, other] * axis_steps[tensor, axis, 1])
        divisor = max(gcd(step, step_more), 1)
        repeats = max(count - step_more // divisor, 0.0) * max(more - step // divisor, 0.0)
        found *= count * more - repeats
    return found


@compiled
def count(
    temporal: Array, order: Array, layout: Any, tile: Any, room: Any, accesses: Array
) -> None:
    """Fill ``accesses [level, tensor, kind]``: words of one instance, 0 where none is kept.

    ``room`` is that of ``room_for``.
    """
    (
        relevant,
        axis_dims,
        axis_steps,
        axis_slides,
        axis_counts,
        child,
        counts_first_fill,
        slides_at_all,
    ) = layout
    inside, along, words, distinct, partition, _, _, steps = tile
    moved, dims, bounds, loop_steps, until, walk = room
    levels = len(temporal)
    size = _loops(temporal, order, inside, dims, bounds, loop_steps, until)
    for level in range(levels - 1):
        for tensor in range(3):
            if child[level, tensor] != NOT_KEPT:
                if slides_at_all[tensor]:
                    moved[level, tensor] = _slid(
                        until[level],
                        size,
                        counts_first_fill,
                        axis_counts[tensor],
                        axis_dims[tensor],
                        axis_steps[tensor],
                        axis_slides[tensor],
                        along[level, tensor],
                        dims,
                        bounds,
                        loop_steps,
                        walk,
                    )
                else:
                    moved[level, tensor] = words[level, tensor] * _stationary(
                        until[level], size, relevant[tensor], dims, bounds
                    )
    for level in range(levels):
        outermost = level == levels - 1
        for tensor in range(3):
            below = child[level, tensor]
            if below == NOT_KEPT:
                continue
            passed = steps if below == ARITHMETIC else moved[below, tensor]
            served = passed * distinct[level, tensor]
            taken = 0.0 if outermost else moved[level, tensor]
            if tensor == OUTPUTS:
                first = 0.0 if outermost or counts_first_fill else partition[level]
                accesses[level, tensor, READS] = served - partition[level]
                accesses[level, tensor, FILLS] = taken - first
                accesses[level, tensor, UPDATES] = served
            else:
                accesses[level, tensor, READS] = served
                accesses[level, tensor, FILLS] = taken


@compiled
def room_for(levels: int, dims: int, axes: int) -> Any:
    """Return room for the words that pass boundaries, ``[level, tensor]``, and for loops.

    Of these, innermost first, the dim, the bound and how far it moves, ``[loop]``; how many lie at
    or inside each level; where a tile has been, its first and its last step, ``[3, axis]``.
    """
    most = levels * dims
    return (
        np.zeros((levels, 3)),
        np.empty(most, np.int64),
        np.empty(most),
        np.empty(most),
        np.empty(levels, np.int64),
        np.empty((3, axes)),
    )


@compiled
def _loops(
    temporal: Array,
    order: Array,
    inside: Array,
    dims: Array,
    bounds: Array,
    steps: Array,
    until: Array,
) -> int:
    """List the loops of bounds above 1 of all levels but the innermost; return their number."""
    size = 0
    for level in range(len(temporal)):
        for position in range(order.shape[1] - 1 if level else -1, -1, -1):
            dim = order[level, position]
            if temporal[level, dim] > 1:
                dims[size], bounds[size] = dim, temporal[level, dim]
                steps[size] = inside[level, dim]
                size += 1
        until[level] = size
    return size


@compiled
def _stationary(begin: int, size: int, relevant: Array, dims: Array, bounds: Array) -> float:
    """How often a tile moves in loops from ``begin`` on, without the innermost run of others."""
    while begin < size and not relevant[dims[begin]]:
        begin += 1
    moves = 1.0
    for loop in range(begin, size):
        moves *= bounds[loop]
    return moves


@compiled
def _slid(
    begin: int,
    size: int,
    counts_first_fill: bool,
    axes: int,
    axis_dims: Array,
    axis_steps: Array,
    slides: Array,
    extents: Array,
    dims: Array,
    bounds: Array,
    steps: Array,
    room: Array,
) -> float:
    """Words fetched of a sliding tile: see ``tilegrad.nest.sliding``, loop by loop.

    ``empty``, ``same`` and ``other`` are what the body fetches by the state it is entered in, and
    ``*_stays`` whether it is left in ``SAME``.
    """
    whole = 1.0
    for axis in range(axes):
        whole *= extents[axis]
        room[0, axis] = room[1, axis] = 0.0
    empty = same = other = 0.0
    empty_stays, same_stays, other_stays = False, True, False
    outside = False
    for loop in range(begin, size):
        dim, step, again = dims[loop], steps[loop], bounds[loop] - 1
        moves = False
        for axis in range(axes):
            along = 0.0
            for term in range(2):
                if axis_dims[axis, term] == dim:
                    along = step * axis_steps[axis, term]
            room[2, axis] = along - room[0, axis]
            room[0, axis] += along
            moves = moves or room[2, axis] != 0
        equal = True
        for axis in range(axes):
            if not outside:
                room[1, axis] = room[2, axis]
            equal = equal and room[2, axis] == room[1, axis]
        if not moves and not counts_first_fill:
            # Skipped: what the body does next it did before.
            from_empty, from_same = empty, same
            left_empty, left_same = empty_stays, same_stays
        else:
            new = _new_part(room[2], extents, slides, axes, whole)
            from_empty = new + (same if equal else other)
            from_same = new + same if equal else whole + empty
            left_empty = same_stays if equal else other_stays
            left_same = same_stays if equal else empty_stays
        after_empty = from_same if empty_stays else from_empty
        after_same = from_same if same_stays else from_empty
        after_other = (from_same if other_stays else from_empty) if outside else whole
        empty += again * after_empty
        same += again * after_same
        other += again * after_other
        stays = left_same if empty_stays else left_empty
        same_stays = left_same if same_stays else left_empty
        other_stays = (left_same if other_stays else left_empty) and outside
        empty_stays = stays
        outside = outside or moves or counts_first_fill
    return whole + empty


@compiled
def _new_part(shift: Array, extents: Array, slides: Array, axes: int, whole: float) -> float:
    """Words of a shifted tile that were not in the tile before."""
    new = 0.0
    for axis in range(axes):
        if slides[axis]:
            part = min(abs(shift[axis]), extents[axis]) * (whole / extents[axis])
            new = whole if new > 0 and part > 0 else new + part
    for axis in range(axes):
        if not slides[axis]:
            new += min(abs(shift[axis]) / extents[axis], 1.0) * (whole - new)
    return new
