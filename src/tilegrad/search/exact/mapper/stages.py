"""Partial mappings continued by a level's spreads and loops in every way, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from tilegrad.search.exact.mapper.charges import ahead, busy, keep, pending, serve, settled
from tilegrad.search.exact.mapper.columns import (
    BEFORE,
    BEFORE_SHARED,
    BOUND,
    CHOICE,
    CYCLES,
    EXTENT,
    PAID,
    PARENT,
    PLACES,
    SEEN,
    SHARED,
    VALUES,
    WAITS,
    WAITS_SHARED,
)
from tilegrad.search.exact.mapper.compiled import compiled
from tilegrad.search.exact.mapper.rules import Array
from tilegrad.search.exact.mapper.store import empty_store, insert, kept, overwrite
from tilegrad.search.exact.mapper.walk import alive, no_longer, place, spread


@compiled
def spread_all(
    values: Array,
    places: Array,
    level: int,
    choices: Any,
    space: Any,
    rules: Any,
    bounds: Any,
    price: float,
    straight: bool,
    best: float,
) -> tuple[Array, Array]:
    """Continue partial mappings by the spreads below a level, and charge it for what it gives."""
    extents, left, strides, ranks = space
    goes_on = bounds[6]
    count = extents.shape[1]
    store = empty_store(len(extents))
    v, m = np.empty(VALUES), np.empty(PLACES, np.int64)
    for at in range(len(values)):
        here = places[at, EXTENT]
        for choice in range(len(choices)):
            there = here
            fits = True
            for dim in range(count):
                factor = choices[choice, dim]
                if factor > 1:
                    if left[here, dim] % factor:
                        fits = False
                        break
                    size = extents[here, dim]
                    there += strides[dim] * (ranks[dim, size * factor] - ranks[dim, size])
            if not fits or goes_on[level, there] == np.inf:
                continue
            overwrite(v, values[at])
            overwrite(m, places[at])
            spread(v, choices[choice], extents[here], rules)
            serve(v, m, level, rules)
            m[EXTENT], m[PARENT], m[CHOICE] = there, at, choice
            cost = pending(v, m, 2 * level, there, price, rules, bounds)
            v[BOUND] = cost + goes_on[level, there]
            if v[BOUND] < best:
                store = insert(v, m, store, price, straight)
    return kept(store)


@compiled
def loop_all(
    values: Array,
    places: Array,
    level: int,
    choices: Any,
    space: Any,
    order: Any,
    rules: Any,
    bounds: Any,
    ports: Array,
    price: float,
    straight: bool,
    best: float,
) -> tuple[Array, Array]:
    """Continue partial mappings by all temporal loops of a level, and open what it keeps.

    ``choices``: where each dim's loops begin at each of its extents, and the steps in the tables of
    extents that they make. Raises ``ValueError`` where a window slides over three levels at once.
    """
    extents, left, strides, ranks = space
    starts, options = choices
    ends, fitting = bounds[7], bounds[9]
    count = extents.shape[1]
    store = empty_store(len(extents))
    pick = np.zeros(count, np.int64)
    first, last = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for at in range(len(values)):
        here = places[at, EXTENT]
        base = settled(values[at], 2 * level, price, bounds)
        bits = alive(places[at], rules[2])
        for dim in range(count):
            row = ranks[dim, extents[here, dim]]
            first[dim], last[dim] = starts[dim, row], starts[dim, row + 1]
        overwrite(pick, first)
        going = True
        while going:
            there = here
            for dim in range(count):
                there += strides[dim] * options[pick[dim]]
            least = base + ends[level, there]
            if fitting[level, there] and least < best:
                least += ahead(values[at], bits, level, here, there, left, rules, bounds)
            if fitting[level, there] and least < best:
                store = order_all(
                    values[at], places[at], at, level, there, space, order, rules, bounds, ports,
                    price, straight, best, store,
                )  # fmt: skip
            going = turn(pick, first, last)
    return kept(store)


@compiled
def turn(pick: Array, first: Array, last: Array) -> bool:
    """Go on to the next of all combinations; return whether there is one."""
    for dim in range(len(pick) - 1, -1, -1):
        pick[dim] += 1
        if pick[dim] < last[dim]:
            return True
        pick[dim] = first[dim]
    return False


@compiled
def order_all(
    values: Array,
    places: Array,
    at: int,
    level: int,
    there: int,
    space: Any,
    order: Any,
    rules: Any,
    bounds: Any,
    ports: Array,
    price: float,
    straight: bool,
    best: float,
    store: Any,
) -> Any:
    """Continue one partial mapping to an extent by loops in every order; return the store."""
    extents, left = space[0], space[1]
    sequence, begins = order
    sliding, coefficients, goes_on = rules[2], rules[10], bounds[8]
    count = extents.shape[1]
    here = places[EXTENT]
    dims, outside = 0, 1.0
    for dim in range(count):
        outside *= left[there, dim]
        if left[here, dim] != left[there, dim]:
            dims |= 1 << dim
    case = dims * 8 + alive(places, sliding)
    for row in range(begins[case], begins[case + 1]):
        v, m = values.copy(), places.copy()
        for position in range(count):
            dim = sequence[row, position]
            if dim < 0:
                break
            factor = left[here, dim] / left[there, dim]
            place(v, m, dim, factor, extents[here, dim] * coefficients[dim], rules)
        busy(v, m, level, ports, rules)
        if not keep(v, m, level, there, outside, rules):
            raise ValueError("a window slides over three levels at once")
        if sliding >= 0:
            no_longer(v, m, left[there], extents[there], rules)
        m[EXTENT], m[PARENT], m[CHOICE] = there, at, row
        cost = pending(v, m, 2 * level + 1, there, price, rules, bounds)
        v[BOUND] = cost + goes_on[level + 1, there]
        if v[BOUND] < best:
            store = insert(v, m, store, price, straight)
    return store


@compiled
def finish(
    values: Array,
    places: Array,
    level: int,
    space: Any,
    order: Any,
    rules: Any,
    widths: Array,
    price: float,
) -> tuple[Array, Array]:
    """Place all loops that are left at the outermost level; return costs and orders of the best.

    Costs are cost, energy and cycles, ``[partial mapping, 3]``.
    """
    extents, left = space[0], space[1]
    sequence, begins = order
    sliding, outputs, tiles = rules[2], rules[4], rules[8]
    coefficients = rules[10]
    count = extents.shape[1]
    costs, rows = np.empty((len(values), 3)), np.empty(len(values), np.int64)
    v, m = np.empty(VALUES), np.empty(PLACES, np.int64)
    for at in range(len(values)):
        here = places[at, EXTENT]
        bits = alive(places[at], sliding)
        dims = 0
        for dim in range(count):
            if left[here, dim] > 1:
                dims |= 1 << dim
        costs[at, 0] = np.inf
        for row in range(begins[dims * 8 + bits], begins[dims * 8 + bits + 1]):
            overwrite(v, values[at])
            overwrite(m, places[at])
            for position in range(count):
                dim = sequence[row, position]
                if dim < 0:
                    break
                step = extents[here, dim] * coefficients[dim]
                place(v, m, dim, float(left[here, dim]), step, rules)
            energy = v[PAID] + v[SHARED] + v[BEFORE] + v[BEFORE_SHARED]
            read, written = 0.0, 0.0
            for tensor in range(3):
                energy += v[WAITS + tensor] + v[WAITS_SHARED + tensor]
                read += v[SEEN + tensor]
                if tensor == outputs:
                    read -= tiles[tensor, -1]
                    written += v[SEEN + tensor]
            cycles = max(v[CYCLES], read / widths[level, 0], written / widths[level, 1])
            cycles = max(cycles, (read + written) / widths[level, 2])
            cost = energy + price * cycles
            if cost < costs[at, 0]:
                costs[at, 0], costs[at, 1], costs[at, 2] = cost, energy, cycles
                rows[at] = row
    return costs, rows


@compiled
def open_all(values: Array, places: Array, level: int, outside: Any, rules: Any) -> None:
    """Open what a level's own tiles cost at every extent, and charge the next level for it."""
    for extent in range(len(values)):
        places[extent, EXTENT] = extent
        keep(values[extent], places[extent], level, extent, outside[extent], rules)
        serve(values[extent], places[extent], level + 1, rules)
