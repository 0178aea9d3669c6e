"""What a network computes beside the layers that are mapped: nothing is dropped unsaid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class LeftOut:
    """An operator that is not mapped: how often, over how many elements in all, and why.

    ``macs``: its multiply-accumulates in all; None where nobody knows them.
    """

    operator: str
    times: int
    elements: int
    reason: str
    macs: int | None = 0


@dataclass(frozen=True)
class Coverage:
    """What became of a network's operators: ``macs`` mapped, and the operators that are not.

    ``notes`` say what was assumed; ``graph`` is a digest of what the network was read from, for the
    fingerprint.
    """

    macs: int
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    graph: str | None = None

    @property
    def share(self) -> float:
        """The share of the known multiply-accumulates that is mapped."""
        known = self.macs + sum(each.macs or 0 for each in self.left_out)
        return self.macs / known

    @property
    def unknown(self) -> tuple[str, ...]:
        """Operators of which nobody knows whether they multiply and accumulate, or how much."""
        return tuple(each.operator for each in self.left_out if each.macs is None)


def together(operators: Iterable[LeftOut]) -> tuple[LeftOut, ...]:
    """Return operators left out for the same reason as one each, in order of appearance."""
    found: dict[tuple[str, str, bool], LeftOut] = {}
    for each in operators:
        key = each.operator, each.reason, each.macs is None
        before = found.get(key)
        found[key] = each if before is None else _sum(before, each)
    return tuple(found.values())


def _sum(one: LeftOut, other: LeftOut) -> LeftOut:
    macs = None if one.macs is None or other.macs is None else one.macs + other.macs
    times, elements = one.times + other.times, one.elements + other.elements
    return LeftOut(one.operator, times, elements, one.reason, macs)
