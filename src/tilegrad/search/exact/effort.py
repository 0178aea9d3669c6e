"""How much of a proof a few seconds allow, told by the problem and not by a clock.

So the same run always ends with the same bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, prod

from tilegrad.errors import ConfigError
from tilegrad.mapping.factors import divisors
from tilegrad.search.exact.mapper.kept import BY_LAYER, BY_ROWS, is_compiled
from tilegrad.search.exact.supported import by_layer, check_supported, rows
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState

MOST_ROWS = 1_000_000
"""Mappings of all layers on one mesh that ``auto`` enumerates: two to three seconds."""

FEW_ROWS = 100_000
"""Mappings that it enumerates for some ranges of meshes more: a second."""

UNITS = 40
"""Units of work for a problem of few rows."""

MOST_EXTENTS = 30_000
"""Tile extents of all layers whose partial mappings ``auto`` follows: a second for each price."""

PRICES = 6
"""Prices of a cycle at which it does."""

INSTEAD = "; bound=full proves what it can"

UNCOMPILED = f"what proves it is not compiled here yet, which takes half a minute once{INSTEAD}"


def reason_against(problem: SearchProblem) -> str | None:
    """Return in words why nothing can be proven of a problem's designs; None where it can."""
    if problem.learned is not None:
        return "the latency is a checkpoint's, of which nothing is known between its training data"
    if problem.padded:
        return (
            "factors need not divide the bounds (padding), and proofs are of those that do: "
            "padding=none"
        )
    try:
        check_supported(problem)
    except ConfigError as error:
        return str(error)
    return None


def takes_seconds(problem: SearchProblem) -> bool:
    """Return whether a proof to the end takes about as long as a search, or less.

    Under a cap on power it takes minutes, as no mapping is left out for being slower. What of it is
    compiled already does not matter: results must not depend on it.
    """
    few = reason_against(problem) is None and not by_layer(problem)
    return few and problem.caps.pj_per_cycle == inf and sum(rows(problem)) <= MOST_ROWS


@dataclass(frozen=True)
class Effort:
    """What ``auto`` does: ``reason`` in words where it is nothing.

    Else so many ``units`` of work, or ``prices`` where layers are proven one by one, or all that
    gives a first bound.
    """

    reason: str | None = None
    units: int | None = None
    prices: int | None = None

    def spent(self, units: int, proof: SearchState) -> bool:
        """Return whether a proof has had its share after so many units."""
        if self.prices is not None:
            return len(proof.private["lines"]) >= self.prices
        return units >= self.units if self.units is not None else proof.bound > 0


def auto_effort(problem: SearchProblem) -> Effort:
    """Return what seconds allow for a problem that can be proven."""
    if by_layer(problem):
        return Effort(_against_layers(problem), prices=PRICES)
    count = sum(rows(problem))
    if count > MOST_ROWS:
        return Effort(f"the layers have {count:,} mappings{INSTEAD}")
    if not is_compiled(BY_ROWS):
        return Effort(UNCOMPILED)
    few = count <= FEW_ROWS and problem.caps.pj_per_cycle == inf
    return Effort(units=UNITS if few else None)


def _against_layers(problem: SearchProblem) -> str | None:
    layers = problem.workload.layers
    extents = sum(prod(len(divisors(bound)) for bound in layer.bounds) for layer in layers)
    if problem.goal.rule is not None:
        return f"there are several networks{INSTEAD}"
    if extents > MOST_EXTENTS:
        return f"the layers have {extents:,} extents of tiles{INSTEAD}"
    if not is_compiled(BY_LAYER):
        return UNCOMPILED
    return None
