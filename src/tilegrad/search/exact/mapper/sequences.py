"""Loop orders of one level that can differ in cost, as the innermost loops that decide.

A tensor stands still until a loop that moves it; one whose tiles overlap goes on sliding along one
axis. Once no tensor does either, the order of the loops further out is of no consequence.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tilegrad.search.exact.mapper.rules import PLAIN, STILL, Array, Rules

END = -1
"""Fills sequences up after their last loop."""


def sequences(rules: Rules) -> tuple[Array, Array]:
    """Return all sequences ``[sequence, dim]``, innermost first, and where each set's begin.

    The second, ``[dims * 8 + tensors + 1]``: the sequences of a set of loops (bits of dims) while
    a set of tensors is still or sliding are those from one entry to the next.
    """
    count = len(rules.dims)
    rows: list[tuple[int, ...]] = []
    begins = [0]
    for dims in range(1 << count):
        for tensors in range(8):
            rows += _prefixes(rules, dims, tensors, 0)
            begins.append(len(rows))
    table = np.full((len(rows), max(1, count)), END, np.int64)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table, np.array(begins, np.int64)


def _prefixes(rules: Rules, dims: int, tensors: int, axis: int) -> Iterator[tuple[int, ...]]:
    """Yield the sequences of a set of loops; ``axis``: along which the tensor slides (0: none)."""
    if not tensors or not dims:
        yield ()
        return
    seen = set()
    for dim in range(len(rules.dims)):
        if not dims >> dim & 1:
            continue
        then, moved = _after(rules, dim, tensors, axis)
        kind = _kind(rules, dim, tensors)
        if kind in seen:
            continue
        seen.add(kind)
        for rest in _prefixes(rules, dims & ~(1 << dim), then, moved):
            yield (dim, *rest)


def _kind(rules: Rules, dim: int, tensors: int) -> tuple[object, ...]:
    """Return what tells a loop apart from others to the tensors."""
    slides = rules.sliding >= 0 and tensors >> rules.sliding & 1
    own = dim if slides and rules.along[dim] > PLAIN else None
    moves = (bool(rules.relevant[tensor, dim]) for tensor in range(3) if tensors >> tensor & 1)
    return (own, *moves)


def _after(rules: Rules, dim: int, tensors: int, axis: int) -> tuple[int, int]:
    """Return which tensors are still or sliding outside a loop, and along which axis."""
    for tensor in range(3):
        if tensor != rules.sliding and rules.relevant[tensor, dim]:
            tensors &= ~(1 << tensor)
    if rules.sliding >= 0 and tensors >> rules.sliding & 1:
        along = int(rules.along[dim])
        if along == PLAIN or (along > PLAIN and axis not in (0, along)):
            tensors &= ~(1 << rules.sliding)
        elif along != STILL:
            axis = along
    return tensors, axis
