"""Products of two tensors, whatever framework states them, as one kind of contraction.

A label that both operands and the result have counts batches (G), one that only the operands have
is summed over (C), the others are the result's rows and columns. One batch is a convolution of
ones, as matrix products are in all layer tables; several are a batched matrix product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from tilegrad.shape import packaged_shape
from tilegrad.workload import Problem

SECOND, FIRST = "second", "first"
STATIONARY = (SECOND, FIRST)
"""Which operand of a product of two activations takes the place of the weights."""


@dataclass(frozen=True)
class Contraction:
    """``batches`` products of ``rows x depth`` with ``depth x columns``."""

    batches: int
    rows: int
    columns: int
    depth: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.batches * self.rows * self.columns * self.depth

    def problem(self, name: str, weights: str = SECOND, count: int = 1) -> Problem:
        """Return the layer, ``weights`` saying which operand is held as the weights."""
        second = weights == SECOND
        rows, columns = (self.rows, self.columns) if second else (self.columns, self.rows)
        sizes = {"P": rows, "C": self.depth, "K": columns}
        if self.batches == 1:
            return Problem.from_fields(name, {"R": 1, "S": 1, "Q": 1, **sizes}, count)
        batched = packaged_shape("batched_matmul")
        return Problem.from_fields(name, {"G": self.batches, **sizes}, count, shape=batched)


def contraction(
    first: Sequence[str], second: Sequence[str], result: Sequence[str], sizes: Mapping[str, int]
) -> Contraction:
    """Return the product of two labelled tensors; a label of one operand alone may be summed.

    What one operand alone is summed over is summed before the product.
    """
    one, other, out = (
        {label for label in labels if sizes[label] > 1} for labels in (first, second, result)
    )

    def size(labels: set[str]) -> int:
        return prod(sizes[label] for label in labels)

    return Contraction(
        size(one & other & out),
        size((one - other) & out),
        size((other - one) & out),
        size((one & other) - out),
    )


def matrix_product(first: Sequence[int], second: Sequence[int], repeats: int = 1) -> Contraction:
    """Return the product of shapes ``[..., rows, depth]`` and ``[..., depth, columns]``.

    Leading dims broadcast; vectors are as in ``torch.matmul``. ``repeats``: along the last leading
    dim so many neighbours share one second operand (queries of grouped-query attention).
    """
    one = [1, *first] if len(first) == 1 else list(first)
    other = [*second, 1] if len(second) == 1 else list(second)
    (*lead, rows, depth), (*follow, _, columns) = one, other
    width = max(len(lead), len(follow))
    lead, follow = [1] * (width - len(lead)) + lead, [1] * (width - len(follow)) + follow
    both, left, right = 1, 1, 1
    for ours, theirs in zip(lead, follow, strict=True):
        if ours == theirs:
            both *= ours
        else:
            left, right = left * ours, right * theirs
    shared = min(repeats, both)
    return Contraction(both // shared, left * rows * shared, right * columns, depth)


def attention(
    query: Sequence[int], key: Sequence[int], value: Sequence[int], repeats: int = 1
) -> tuple[Contraction, Contraction]:
    """Return the two products of attention, of ``[..., heads, length, width]`` tensors.

    Keys and values may have fewer heads than queries (grouped-query), or be repeated ones
    (``repeats``); queries that share them are rows of one product. A mask saves nothing.
    """
    heads = query[-3] if len(query) > 2 else 1
    shared = repeats * (heads // key[-3] if len(key) > 2 else 1)
    batches = prod(query[:-2]) // shared
    rows = query[-2] * shared
    scores = Contraction(batches, rows, key[-2], query[-1])
    return scores, Contraction(batches, rows, value[-1], key[-2])
