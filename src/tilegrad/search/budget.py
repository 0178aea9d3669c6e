"""When a search stops before its plan ends: asked between units of work, and inside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tilegrad.search.state import SearchState

MOST_RESERVED = 0.5
"""Share of a budget of seconds that its reserve takes at most."""


class OutOfTimeError(Exception):
    """The seconds are over: a unit of work ends where it is. No failure, and nothing to tell."""


@dataclass(frozen=True)
class Budget:
    """When to stop before the strategy's own plan ends; None: never.

    ``reserve``: how many of the seconds the search leaves to what follows, its record and report;
    ``clock`` tells seconds; ``began``: what it told when none were spent, None before that.
    """

    samples: int | None = None
    seconds: float | None = None
    reserve: float = 0.0
    clock: Callable[[], float] = monotonic
    began: float | None = None

    def begin(self, spent: float = 0.0) -> Budget:
        """Return the budget with its clock running, ``spent`` seconds already used."""
        return replace(self, began=self.clock() - spent)

    def part(self, share: float) -> Budget:
        """Return a budget of a share of the search's seconds, on the same clock."""
        if self.seconds is None:
            return self
        return replace(self, seconds=self._searching * share, reserve=0.0)

    @property
    def elapsed(self) -> float:
        """Seconds used; 0 before the clock runs."""
        return 0.0 if self.began is None else self.clock() - self.began

    def spent(self, state: SearchState) -> float:
        """Return the share of the budget that is used (0 without one)."""
        shares = [0.0]
        if self.samples is not None:
            shares.append(state.samples / self.samples)
        if self.seconds is not None:
            shares.append(max(state.seconds, self.elapsed) / self._searching)
        return max(shares)

    @property
    def over(self) -> bool:
        """Whether the search's seconds are used."""
        return self.seconds is not None and self.elapsed >= self._searching

    def check(self) -> None:
        """Raise ``OutOfTimeError`` where they are used; to be asked before each piece of work."""
        if self.over:
            raise OutOfTimeError

    @property
    def _searching(self) -> float:
        seconds = self.seconds or 0.0
        return seconds - min(self.reserve, MOST_RESERVED * seconds)


def in_time(units: Iterator[None]) -> Iterator[bool]:
    """Yield after each unit of work whether the budget's seconds cut it short, as the last one."""
    try:
        for _ in units:
            yield False
    except OutOfTimeError:
        yield True
