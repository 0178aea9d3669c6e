"""Grows one regression tree, in machine code: the exact best cut of each column by a table.

A column holds few different values beside its rows, so that the ``ranks [column, row]`` of the
values (0 for the least) stand for it: a node's sums by rank (``table``) give the gain of every cut
in one pass, without sorting. No cut is left out. What is summed, ``held [1 + target, row]``, are
the rows' weights, then the targets times these.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tilegrad.machine_code import code_directory, compiled_in

BLOCK = 16
"""Ranks that are looked at together or not at all, where a node has few rows."""

DENSE = 4
"""So many ranks a row at most, and a table is read as a whole."""

LEAST = 1e-15
"""Variance of the targets, which have about 1 among all rows, up to which a node is a leaf."""

_DIRECTORY = code_directory(Path(__file__).parent, ("tree_kernel",))


class Tree(NamedTuple):
    """A tree as it grows; a node's second child lies behind its first.

    Per node: ``column [node]`` (-1: a leaf) and the ranks ``low`` and ``high`` beside its cut,
    ``child``: its first; ``means [node, target]``; its rows, from ``begins`` to ``ends``; how
    ``deep`` it lies; ``constant [node, column]``: known to hold a single value. And the columns'
    ``gains [column]``.
    """

    column: Any
    low: Any
    high: Any
    child: Any
    means: Any
    begins: Any
    ends: Any
    deep: Any
    constant: Any
    gains: Any

    @classmethod
    def of(cls, nodes: int, targets: int, columns: int) -> Tree:
        """Return room for so many nodes."""
        whole = [np.zeros(nodes, np.int64) for _ in range(7)]
        column, low, high, child, begins, ends, deep = whole
        means, constant = np.zeros((nodes, targets)), np.zeros((nodes, columns), np.bool_)
        return cls(column, low, high, child, means, begins, ends, deep, constant, np.zeros(columns))


class Room(NamedTuple):
    """What the growing of a tree needs beside it, all of it overwritten."""

    rows: Any
    spare: Any
    here: Any
    order: Any
    table: Any
    blocks: Any
    none: Any
    totals: Any
    below: Any

    @classmethod
    def of(cls, held: Any, columns: int, ranks: int) -> Room:
        """Return room for ``held`` and columns of at most so many ranks."""
        rows = np.arange(held.shape[1])
        table, blocks = np.zeros((len(held), ranks)), np.zeros(ranks // BLOCK + 1, np.bool_)
        totals, below = np.zeros(len(held)), np.zeros(len(held))
        none, order = np.zeros(0, np.bool_), np.arange(columns)
        return cls(rows, rows * 0, held * 0, order, table, blocks, none, totals, below)


def _filled(rank: Any, rows: Any, here: Any, table: Any, touched: Any) -> None:
    """Add ``here [1 + target, row]`` to ``table [1 + target, rank]``; say which blocks hold any.

    ``touched [block]`` is left alone where it has no length.
    """
    if len(here) == 2:
        for i in range(len(rows)):
            at = np.uint32(rank[np.uint32(rows[i])])
            table[0, at] += here[0, i]
            table[1, at] += here[1, i]
    else:
        for k in range(len(here)):
            for i in range(len(rows)):
                table[k, np.uint32(rank[np.uint32(rows[i])])] += here[k, i]
    if len(touched):
        for i in range(len(rows)):
            touched[rank[rows[i]] // BLOCK] = True


def _gained(below: Any, totals: Any) -> float:
    """Return the sum over the targets and both sides of a cut of squared sums over weights."""
    gain, above = 0.0, totals[0] - below[0]
    for k in range(1, len(below)):
        rest = totals[k] - below[k]
        gain += below[k] * below[k] / below[0] + rest * rest / above
    return gain


_gain = compiled_in(_DIRECTORY, _gained, error_model="numpy")


def _cut(table: Any, touched: Any, size: Any, totals: Any, below: Any) -> Any:
    """Return a column's best cut and empty its table: gain, ranks beside it, how many are there.

    ``totals [1 + target]`` are the node's sums, ``below [1 + target]`` is room.
    """
    best, low, high, before, seen = -np.inf, 0, 0, 0, 0
    for k in range(len(below)):
        below[k] = 0.0
    for block in range((size + BLOCK - 1) // BLOCK):
        if len(touched):
            if not touched[block]:
                continue
            touched[block] = False
        for at in range(block * BLOCK, min(size, (block + 1) * BLOCK)):
            if table[0, at] == 0.0:
                continue
            gain = _gain(below, totals) if seen else best
            if gain > best:
                best, low, high = gain, before, at
            for k in range(len(below)):
                below[k] += table[k, at]
                table[k, at] = 0.0
            before, seen = at, seen + 1
    return best, low, high, seen


def _parted(rank: Any, rows: Any, low: Any, spare: Any) -> int:
    """Move the rows whose rank is at most ``low`` to the front, and return how many they are."""
    first = rest = 0
    for i in range(len(rows)):
        row = rows[i]
        if rank[row] <= low:
            rows[first] = row
            first += 1
        else:
            spare[rest] = row
            rest += 1
    for i in range(rest):
        rows[first + i] = spare[i]
    return first


_fill, _best, _part = (
    compiled_in(_DIRECTORY, function, error_model="numpy") for function in (_filled, _cut, _parted)
)


def _summed(rows: Any, held: Any, here: Any, totals: Any) -> float:
    """Write a node's sums ``totals [1 + target]`` and its rows' ``here``; return squares' sum."""
    squares = 0.0
    for k in range(len(held)):
        totals[k] = 0.0
        for i in range(len(rows)):
            value = held[k, rows[i]]
            here[k, i] = value
            totals[k] += value
            if k:
                squares += value * value / held[0, rows[i]]
    return squares


def _chosen(
    ranks: Any, sizes: Any, node: Any, draws: Any, tried: int, tree: Any, room: Any
) -> float:
    """Find the best cut of a node and return its gain, minus infinity where there is none.

    ``draws [column]``: the node's of ``picks``.
    """
    begin, end = tree.begins[node], tree.ends[node]
    rows, here = room.rows[begin:end], room.here[:, : end - begin]
    best, split = -np.inf, -1
    for visited in range(len(ranks)):
        if visited >= tried and split >= 0:
            break
        place = visited + int(draws[visited] * (len(ranks) - visited))
        column = room.order[place]
        room.order[place] = room.order[visited]
        room.order[visited] = column
        if tree.constant[node, column]:
            continue
        some = room.none if sizes[column] < DENSE * (end - begin) else room.blocks
        _fill(ranks[column], rows, here, room.table, some)
        gain, low, high, seen = _best(room.table, some, sizes[column], room.totals, room.below)
        tree.constant[node, column] = seen == 1
        if gain > best:
            best, split = gain, column
            tree.low[node], tree.high[node] = low, high
    tree.column[node] = split
    return best


_sum, _choose = (
    compiled_in(_DIRECTORY, function, error_model="numpy") for function in (_summed, _chosen)
)


def _grown(ranks: Any, sizes: Any, held: Any, picks: Any, limits: Any, tree: Any, room: Any) -> int:
    """Grow a tree and return how many nodes it has.

    ``sizes [column]``: how many ranks; ``picks [node, column]``: numbers within 0..1 that draw the
    columns of a node; ``limits``: the depth, and the columns that a cut is sought in, more only
    where none of these can be cut. ``tree``: a ``Tree`` to write. ``room``: a ``Room``.
    """
    (depth, tried), totals = limits, room.totals
    count, node = 1, 0
    tree.ends[0] = held.shape[1]
    while node < count:
        begin, end = tree.begins[node], tree.ends[node]
        rows = room.rows[begin:end]
        squares, base = _sum(rows, held, room.here, totals), 0.0
        for k in range(1, len(totals)):
            tree.means[node, k - 1] = totals[k] / totals[0]
            base += totals[k] * totals[k] / totals[0]
        tree.column[node] = -1
        spread = squares - base > LEAST * (len(totals) - 1) * totals[0]
        if tree.deep[node] < depth and end - begin > 1 and spread:
            best = _choose(ranks, sizes, node, picks[node], tried, tree, room)
            split = tree.column[node]
            if split >= 0:
                tree.gains[split] += (best - base) / (len(totals) - 1)
                middle = begin + _part(ranks[split], rows, tree.low[node], room.spare)
                tree.child[node] = count
                for child in range(count, count + 2):
                    tree.deep[child] = tree.deep[node] + 1
                    tree.begins[child] = begin if child == count else middle
                    tree.ends[child] = middle if child == count else end
                    for column in range(len(ranks)):
                        tree.constant[child, column] = tree.constant[node, column]
                count += 2
        node += 1
    return count


grown = compiled_in(_DIRECTORY, _grown, error_model="numpy")
