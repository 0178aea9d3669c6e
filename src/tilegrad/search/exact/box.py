"""Boxes of hardware sizes: what a branch-and-bound divides."""

from __future__ import annotations

from dataclasses import dataclass, replace

Ends = dict[str, tuple[float, float]]
"""Least and largest value of each parameter, both included."""


@dataclass(frozen=True)
class Box:
    """All hardware whose parameters lie within ``ends``, in whole units."""

    ends: Ends

    def low(self, name: str) -> float:
        """Return the least value of a parameter."""
        return self.ends[name][0]

    def high(self, name: str) -> float:
        """Return the largest value of a parameter."""
        return self.ends[name][1]

    def is_point(self, name: str) -> bool:
        """Return whether a parameter has one value."""
        return self.low(name) == self.high(name)

    @property
    def least(self) -> dict[str, float]:
        """The smallest hardware of the box."""
        return {name: low for name, (low, _) in self.ends.items()}

    def within(self, name: str, low: float, high: float) -> Box:
        """Return the box with other ends of one parameter."""
        return replace(self, ends={**self.ends, name: (low, high)})

    def split(self, name: str, upper: float) -> tuple[Box, Box]:
        """Return the part below ``upper`` and the part from it on."""
        low, high = self.ends[name]
        return self.within(name, low, upper - 1), self.within(name, upper, high)
