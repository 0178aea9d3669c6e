"""A function of rows, worked out once for each row that a search ever asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

import torch
from torch import Tensor

from tilegrad.cost.alike import keys as keys_of

TOGETHER = 256
"""Rows that are worked out together, always so many: kernels treat every row of them alike, so that
figures do not depend on the rows beside it, nor on which thread asked first."""

MOST = 2**16
"""Rows that are remembered; before there are more, all are forgotten."""


class Remembered:
    """``function`` of rows ``[row, column]``, which looks at one row after another.

    Rows are told apart by their bytes. Threads may ask at the same time.
    """

    def __init__(self, function: Callable[[Tensor], Tensor], most: int = MOST) -> None:
        self._function, self._most = function, most
        self._known = _Known()
        self._writing = Lock()

    def __call__(self, rows: Tensor) -> Tensor:
        """Return the function of rows on the CPU, ``[row, ...]``."""
        keys = keys_of(rows)
        known = self._known
        if lacking := known.lacking(keys):
            known = self._with(keys, rows, lacking, self._worked_out(rows, lacking))
        return known.of(keys)

    def _with(self, keys: list[bytes], rows: Tensor, new: Sequence[int], found: Tensor) -> _Known:
        """Return all that is known with what was found of the ``new`` rows."""
        with self._writing:
            if len(self._known.places) + len(new) > self._most:
                self._known = _Known()
            known = self._known
            known.add([keys[place] for place in new], found)
            # What was known before is forgotten now, here or by another thread.
            if again := known.lacking(keys):
                known.add([keys[place] for place in again], self._worked_out(rows, again))
            return known

    def _worked_out(self, rows: Tensor, places: Sequence[int]) -> Tensor:
        chosen = rows[list(places)]
        filled = torch.cat([chosen, chosen[-1:].expand(-len(chosen) % TOGETHER, -1)])
        parts = [self._function(part) for part in filled.split(TOGETHER)]
        return torch.cat(parts)[: len(chosen)]


class _Known:
    """Places of rows by their bytes, and ``values [place, ...]``, of which the first are taken."""

    def __init__(self) -> None:
        self.places: dict[bytes, int] = {}
        self.values = torch.empty(0)

    def lacking(self, keys: list[bytes]) -> list[int]:
        """Return where the keys are that are not known, each once."""
        places = self.places
        return list({key: at for at, key in enumerate(keys) if key not in places}.values())

    def of(self, keys: list[bytes]) -> Tensor:
        """Return the values of known keys."""
        places = self.places
        at = torch.tensor([places[key] for key in keys])
        return self.values[at]

    def add(self, keys: list[bytes], found: Tensor) -> None:
        """Add what is not known yet; values before places, as others look things up meanwhile."""
        new = self.lacking(keys)
        first = len(self.places)
        after = first + len(new)
        if after > len(self.values):
            room = found.new_empty(max(2 * len(self.values), after), *found.shape[1:])
            if first:
                room[:first] = self.values[:first]
            self.values = room
        self.values[first:after] = found[new]
        self.places.update(zip((keys[at] for at in new), range(first, after), strict=True))
