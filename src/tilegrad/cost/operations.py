"""The operations that costs consist of: on tensors, or in one pass each by machine code.

Both agree to the last bit. Machine code takes over where the counts came from it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from tilegrad.accelerator.expression import Value
from tilegrad.nest import Nest, fused


@dataclass(frozen=True)
class Operations:
    """Operations on figures ``[...]`` of a nest; without a ``kernel`` they are tensor operations.

    With one, figures are of the nest's ``shape``, or single numbers.
    """

    kernel: ModuleType | None = None
    shape: tuple[int, ...] = ()

    def nothing(self, like: Tensor) -> Tensor:
        """Return zeros to add to."""
        return like.new_zeros(self.shape)

    def blocks(self, total: Tensor, words: Tensor, block: Value, pj: Value) -> Tensor:
        """Add to ``total``, maybe in place, the energy of words that come in whole blocks [pJ]."""
        if self.kernel is None:
            return total + pj * ((words / block).ceil() * block)
        if not _are_none(words):
            self.kernel.blocks(self._row(total), self._row(words), float(block), float(pj))
        return total

    def rates(self, total: Tensor, words: Tensor, steps: Tensor) -> Tensor:
        """Add to ``total``, maybe in place, words per step."""
        if self.kernel is None:
            return total + words / steps
        if not _are_none(words):
            self.kernel.rates(self._row(total), self._row(words), self._row(steps))
        return total

    def stretched(self, before: Tensor, steps: Tensor, demand: Tensor, width: Value) -> Tensor:
        """Return cycles, at least ``before``: steps that ask for no more words than ``width``."""
        if self.kernel is None:
            return torch.maximum(before, (steps / (width / demand).clamp(max=1)).ceil())
        # Tensors divide numbers by their inverse.
        code = self.kernel.stretched if isinstance(width, Tensor) else self.kernel.stretched_by
        out = torch.empty_like(steps)
        code(*map(self._row, (before, steps, demand, out)), float(width))
        return out

    def sums(self, one: Tensor, other: Tensor) -> Tensor:
        """Return the sum of two figures."""
        if self.kernel is not None and _are_none(other):
            return one
        return one + other

    def _row(self, figure: Tensor) -> Any:
        """Return a figure of each mapping, ``[row]``."""
        if figure.dim() == 0:
            figure = figure.new_full(self.shape, float(figure))
        return figure.contiguous().numpy().reshape(-1)


def operations(nest: Nest, hardware: Mapping[str, Value]) -> Operations:
    """Return the operations for a nest ``[...]`` on hardware."""
    if not fused.is_used() or not all(map(_is_single, hardware.values())):
        return Operations()
    shape = nest.steps.shape
    # A single mapping's figures have no row that machine code could write to.
    if not shape or not all(each.dim() == 0 or each.shape == shape for each in _figures(nest)):
        return Operations()
    if not all(map(fused.is_plain, _figures(nest))):
        return Operations()
    from tilegrad.cost import kernel

    return Operations(kernel, shape)


def _are_none(words: Tensor) -> bool:
    return words.dim() == 0 and not words


def _is_single(value: Value) -> bool:
    return not isinstance(value, Tensor) or (value.dim() == 0 and fused.is_plain(value))


def _figures(nest: Nest) -> Iterator[Tensor]:
    yield nest.steps
    for level in nest.accesses:
        for kept in level.values():
            yield from (kept.reads, kept.fills, kept.updates)
