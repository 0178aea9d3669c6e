"""Relative errors against reference values, summed up in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THRESHOLDS = (1e-5, 1e-4, 1e-2)

_LOWEST = -16
_DECADES = 24
_BINS_PER_DECADE = 200


@dataclass(frozen=True)
class Worst:
    """The row with the largest error."""

    row: int
    mapping: str
    error: float


class Accuracy:
    """The distribution of one quantity's relative errors.

    The median comes from a histogram of 200 bins per decade, so it is good to 0.6 %; everything
    else is exact.
    """

    def __init__(self) -> None:
        self.count = 0
        self.without_reference = 0
        self.worst: Worst | None = None
        self._sum = 0.0
        self._within = np.zeros(len(THRESHOLDS), dtype=np.int64)
        self._histogram = np.zeros(_DECADES * _BINS_PER_DECADE, dtype=np.int64)

    def add(
        self, errors: NDArray[np.float64], rows: NDArray[np.int64], mappings: Sequence[str]
    ) -> None:
        """Count errors ``[row]``; NaN stands for a row without a reference."""
        given = np.flatnonzero(~np.isnan(errors))
        self.without_reference += len(errors) - len(given)
        if not len(given):
            return
        sizes = np.abs(errors[given])
        self.count += len(sizes)
        self._sum += float(sizes.sum())
        self._within += [int((sizes <= limit).sum()) for limit in THRESHOLDS]
        self._histogram += np.bincount(_bins(sizes), minlength=len(self._histogram))
        place = given[sizes.argmax()]
        if self.worst is None or abs(errors[place]) > abs(self.worst.error):
            self.worst = Worst(int(rows[place]), mappings[place], float(errors[place]))

    @property
    def mean(self) -> float:
        """The mean absolute relative error (MAPE / 100)."""
        return self._sum / self.count if self.count else math.nan

    @property
    def shares(self) -> dict[float, float]:
        """The share of rows whose error is at most each of ``THRESHOLDS``."""
        counts = self._within.tolist()
        return {
            limit: count / self.count if self.count else math.nan
            for limit, count in zip(THRESHOLDS, counts, strict=True)
        }

    @property
    def median(self) -> float:
        """The median absolute relative error."""
        if not self.count:
            return math.nan
        middle = int(np.searchsorted(self._histogram.cumsum(), (self.count + 1) // 2))
        return 10 ** (_LOWEST + (middle + 0.5) / _BINS_PER_DECADE) if middle else 0.0


def _bins(sizes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return each error's bin; bin 0 holds what double precision cannot tell from 0."""
    decades = np.log10(np.maximum(sizes, 10.0**_LOWEST)) - _LOWEST
    bins = (decades * _BINS_PER_DECADE).astype(np.int64)
    return np.asarray(bins.clip(0, _DECADES * _BINS_PER_DECADE - 1))
