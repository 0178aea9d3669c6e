"""Batches by slicing tensors that lie in memory; assembling one costs microseconds."""

from __future__ import annotations

from collections.abc import Iterator
from math import log2

import torch
from torch import Tensor
from torch.utils.data import DataLoader, SequentialSampler

from tilegrad.datamodules.examples import Examples

STEPS_OF_AN_EPOCH = 120
SMALLEST, LARGEST = 32, 4096


def rows_of_a_batch(rows: int) -> int:
    """Return the power of two that makes about ``STEPS_OF_AN_EPOCH`` batches of all rows.

    From ``SMALLEST`` to ``LARGEST``; the same for all folds, whose numbers of rows differ a little.
    """
    power = round(log2(max(rows / STEPS_OF_AN_EPOCH, 1)))
    return min(max(2**power, SMALLEST), LARGEST)


class Batches(SequentialSampler):
    """Yields the row numbers of each batch, in another order every epoch if ``shuffled``.

    The order follows from seed and epoch alone, so that a resumed training sees what it would have
    seen. Lightning calls ``set_epoch`` before the first batch is drawn, but after ``iter`` where a
    training is gone on with: the first draw fixes the order. (Lightning replaces a sampler that is
    not sequential by one of single rows when it overfits.)
    """

    def __init__(self, rows: Tensor, size: int, seed: int, shuffled: bool) -> None:
        super().__init__(rows)
        self._rows = rows
        self._size = size
        self._seed = seed
        self._shuffled = shuffled
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return -(-len(self._rows) // self._size)

    def __iter__(self) -> Iterator[Tensor]:  # type: ignore[override]
        rows = self._rows
        if self._shuffled:
            generator = torch.Generator().manual_seed(self._seed * 1_000_003 + self._epoch)
            rows = rows[torch.randperm(len(rows), generator=generator)]
        yield from rows.split(self._size)


def loader(rows: Examples, batches: Batches) -> DataLoader[dict[str, Tensor]]:
    """Return a loader of whole batches; workers would only copy what is in memory already."""
    return DataLoader(rows, sampler=batches, batch_size=None)  # type: ignore[arg-type]
