"""Rows priced in a box, compiled: one pass for their energies, one for the least at all prices."""

from __future__ import annotations

from typing import Any

import numpy as np

from tilegrad.verify.walked import compiled


@compiled
def add_part(energy: Any, needs: Any, low: float, own: Any, words: Any, rate: Any) -> None:
    """Add what a level spends to ``energy [row]``.

    On the least buffer that holds a row, or on the least of the box: ``rate [kind]`` pJ a word.
    """
    for row in range(len(energy)):
        if needs[row] >= low:
            energy[row] += own[row]
        else:
            for kind in range(len(rate)):
                energy[row] += rate[kind] * words[kind, row]


@compiled
def add_fitting(fits: Any, needs: Any, high: Any) -> None:
    """Note which rows need no more than ``high [buffer]``."""
    for row in range(len(fits)):
        fitting = True
        for buffer in range(len(high)):
            fitting = fitting and needs[buffer, row] <= high[buffer]
        fits[row] = fits[row] or fitting


@compiled
def least_at(energy: Any, cycles: Any, prices: Any) -> Any:
    """Return the least energy + price * cycles at each price (infinite: the least cycles).

    Of rows of finite energy; infinite where there is none.
    """
    found = np.full(len(prices), np.inf)
    for row in range(len(energy)):
        if energy[row] < np.inf:
            for place in range(len(prices)):
                price = prices[place]
                figure = cycles[row] if price == np.inf else energy[row] + price * cycles[row]
                found[place] = min(found[place], figure)
    return found
