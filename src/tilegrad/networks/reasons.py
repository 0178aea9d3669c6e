"""Reasons for which operators of networks are not mapped, the same for every framework."""

from __future__ import annotations

from collections.abc import Mapping

ELEMENTWISE = "element by element: sums nothing"
NORM = "normalises one tensor"
POOL = "pools or resamples one tensor"
REDUCTION = "reduces or orders one tensor"
LOOKUP = "looks elements up"
MOVEMENT = "moves, copies or makes data"
UNKNOWN = "no product of two tensors that is known here"
SKIPPED = "left out by workload.skip"


def by_operator(named: Mapping[str, str]) -> dict[str, str]:
    """Return each operator's reason; ``named`` lists operators by reason, apart by spaces."""
    return {name: reason for reason, names in named.items() for name in names.split()}
