"""A random forest's trees, grown side by side; which rows and columns they draw follows the seed.

The algorithm is Breiman's as scikit-learn has it (bootstrapped rows, columns drawn anew in each
node, the exact best cut by squared error); ``tree_kernel`` finds the same cuts without sorting.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Growth:
    """How trees grow: how many, the most cuts on a path, columns tried in a node, rows drawn."""

    trees: int
    depth: int
    columns: int
    rows: int
    seed: int


@dataclass(frozen=True)
class Grown:
    """A tree: the ``column [node]`` of each cut, -1 for a leaf's, and where it lies (``at``).

    Rows up to there go to ``below``, others to ``above``; ``means [node, target]``; ``decrease
    [column]``: each column's share of the decrease in squared error.
    """

    column: Int[Array, " node"]
    at: Float[Array, " node"]
    below: Int[Array, " node"]
    above: Int[Array, " node"]
    means: Float[Array, "node target"]
    decrease: Float[Array, " column"]


@dataclass(frozen=True)
class Ranked:
    """Columns as ranks: ``ranks [column, row]``, 0 for the least of a column's ``sizes`` values.

    ``values`` are those of all columns, ascending in each, one column after the other.
    """

    ranks: Int[Array, "column row"]
    sizes: Int[Array, " column"]
    values: Float[Array, " value"]

    @classmethod
    def of(cls, features: Float[Array, "row column"]) -> Ranked:
        """Return features as ranks."""
        parts = [np.unique(column, return_inverse=True) for column in features.T]
        sizes = np.array([len(values) for values, _ in parts])
        small = sizes.max() <= np.iinfo(np.uint16).max
        ranks = np.stack([ranks for _, ranks in parts])
        values = np.concatenate([values for values, _ in parts]).astype(np.float64)
        return cls(ranks.astype(np.uint16 if small else np.uint32), sizes, values)

    def at(self, column: Array, rank: Array) -> Array:
        """Return the values of ranks ``[...]`` of columns ``[...]``."""
        starts = self.sizes.cumsum() - self.sizes
        found: Array = self.values[starts[column] + rank]
        return found


def grow(
    features: Float[Array, "row column"],
    targets: Float[Array, "row target"],
    growth: Growth,
    workers: int | None = None,
) -> list[Grown]:
    """Return trees of ``targets`` of about unit variance; they do not depend on ``workers``."""
    ranked, targets = Ranked.of(features), targets.astype(np.float64)

    def each(number: int) -> Grown:
        return _tree(ranked, targets, growth, np.random.default_rng([growth.seed, number]))

    with ThreadPoolExecutor(workers or os.cpu_count()) as threads:
        return list(threads.map(each, range(growth.trees)))


def _tree(ranked: Ranked, targets: Array, growth: Growth, random: np.random.Generator) -> Grown:
    """Grow a tree of as many rows as it draws, each by how often it was drawn."""
    drawn = random.integers(0, len(targets), min(growth.rows, len(targets)))
    counts = np.bincount(drawn, minlength=len(targets))
    return weighted_tree(ranked, targets, counts.astype(np.float64), growth, random)


def weighted_tree(
    ranked: Ranked,
    targets: Float[Array, "row target"],
    weights: Float[Array, " row"],
    growth: Growth,
    random: np.random.Generator,
) -> Grown:
    """Return the tree of weighted rows, of which those that weigh nothing are left out."""
    from tilegrad.predictors.tree_kernel import Room, Tree, grown

    seen = weights.nonzero()[0]
    weight = weights[seen]
    held = np.empty((1 + targets.shape[1], len(seen)))
    held[0], held[1:] = weight, weight * targets[seen].T
    columns = len(ranked.sizes)
    most = min(2 ** min(growth.depth + 1, 62) - 1, 2 * len(seen) - 1)
    tree = Tree.of(most, targets.shape[1], columns)
    picks = random.random((most, columns), np.float32)
    room = Room.of(held, columns, ranked.sizes.max())
    limits = (growth.depth, growth.columns)
    count = grown(ranked.ranks.take(seen, 1), ranked.sizes, held, picks, limits, tree, room)
    return _settled(tree, count, ranked)


def _settled(tree: Any, count: int, ranked: Ranked) -> Grown:
    """Return a tree's nodes, cut between the values that its ranks stand for."""
    column, child = tree.column[:count], tree.child[:count]
    low, high = (ranked.at(column.clip(0), rank[:count]) for rank in (tree.low, tree.high))
    total = tree.gains.sum()
    leaf, itself = column < 0, np.arange(count)
    return Grown(
        column,
        low / 2 + high / 2,
        np.where(leaf, itself, child),
        np.where(leaf, itself, child + 1),
        tree.means[:count],
        tree.gains / total if total > 0 else tree.gains,
    )
