"""Partial mappings that no other one is as good as, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from tilegrad.search.exact.mapper.columns import (
    BEFORE,
    BOUND,
    CREDIT,
    CYCLES,
    EXTENT,
    PAID,
    PLACES,
    SEEN,
    SHARED,
    STANDS,
    VALUES,
    WHOLE,
    WINDOW,
)
from tilegrad.search.exact.mapper.compiled import compiled
from tilegrad.search.exact.mapper.rules import Array


@compiled
def dominates(a: Array, am: Array, b: Array, bm: Array, price: float, straight: bool) -> bool:
    """Return whether whatever completes ``b`` completes ``a`` at no more cost.

    ``straight``: no port can be what takes longest.
    """
    if a[PAID] > b[PAID]:
        return False
    for column in range(WINDOW, PLACES):
        if am[column] != bm[column]:
            return False
    if straight and a[SHARED] + price * a[CYCLES] > b[SHARED] + price * b[CYCLES]:
        return False
    if not straight and (a[SHARED] > b[SHARED] or a[CYCLES] > b[CYCLES]):
        return False
    for column in range(CREDIT, SEEN):
        if a[column] < b[column]:
            return False
    for column in range(SEEN, BOUND):
        # A larger share of a whole tile may save more.
        if a[column] < b[column] if WHOLE <= column < BEFORE else a[column] > b[column]:
            return False
    return True


@compiled
def overwrite(old: Array, new: Array) -> None:
    """Copy a row: an assignment of arrays takes seconds to compile, for what it says of shapes."""
    for column in range(len(new)):
        old[column] = new[column]


@compiled
def insert(v: Array, m: Array, store: Any, price: float, straight: bool) -> Any:
    """Keep a partial mapping unless another of the same boundary is as good; drop worse ones."""
    values, places, nexts, heads, used = store
    key = m[EXTENT] * 8 + m[STANDS]
    before, here = -1, heads[key]
    while here >= 0:
        after = nexts[here]
        if dominates(values[here], places[here], v, m, price, straight):
            return store
        if dominates(v, m, values[here], places[here], price, straight):
            if before < 0:
                heads[key] = after
            else:
                nexts[before] = after
            nexts[here] = -2
        else:
            before = here
        here = after
    at = used[0]
    if at == len(nexts):
        more = 2 * at
        grown, placed = np.empty((more, VALUES)), np.empty((more, PLACES), np.int64)
        follow = np.empty(more, np.int64)
        for row in range(at):
            overwrite(grown[row], values[row])
            overwrite(placed[row], places[row])
        overwrite(follow, nexts)
        values, places, nexts = grown, placed, follow
    overwrite(values[at], v)
    overwrite(places[at], m)
    nexts[at] = heads[key]
    heads[key] = at
    used[0] = at + 1
    return values, places, nexts, heads, used


@compiled
def empty_store(extents: Any) -> Any:
    """Return a store without partial mappings for a table of extents."""
    room = 1024
    return (
        np.empty((room, VALUES)),
        np.empty((room, PLACES), np.int64),
        np.empty(room, np.int64),
        np.full(extents * 8, -1, np.int64),
        np.zeros(1, np.int64),
    )


@compiled
def kept(store: Any) -> tuple[Array, Array]:
    """Return the values and places of what a store keeps."""
    values, places, nexts, _, used = store
    count = 0
    for at in range(used[0]):
        count += nexts[at] != -2
    found, where = np.empty((count, VALUES)), np.empty((count, PLACES), np.int64)
    count = 0
    for at in range(used[0]):
        if nexts[at] != -2:
            overwrite(found[count], values[at])
            overwrite(where[count], places[at])
            count += 1
    return found, where
