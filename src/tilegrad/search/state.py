"""Where a search stands: enough to go on from, and what a strategy promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from tilegrad.cost.network import NetworkCost
from tilegrad.mapping import LoopNest
from tilegrad.search.budget import Budget
from tilegrad.search.diagnosis import least_capped
from tilegrad.search.misfit import misfit
from tilegrad.search.objective import UJ_PER_PJ
from tilegrad.search.problem import SearchProblem


@dataclass
class SearchState:
    """A search in progress.

    ``mappings`` counts evaluations of single layers' mappings, ``samples`` those of whole designs.
    ``best`` holds one mapping per layer ``[layer]``, ``value`` its exact objective and ``edp`` its
    EDP [uJ*cycles] by the nest, whatever model the objective goes by;
    ``bound``: no design has a lower objective, as far as was proven (0: nothing was; infinite:
    there is none);
    ``misfit`` names a layer of the last design refused before there was one; ``least`` holds the
    least of each capped figure of designs that fit, until there is one within the caps;
    ``bounds``: objective and what was proven of it at each entry of the ``history``;
    ``private`` is the strategy's own (tensors, numbers, text, lists and dicts only);
    ``fraction`` is how much of the planned work is done; ``made_by``: the provenance of what
    went on with it, in order; ``unproven``: why there is no bound, where one was asked for;
    ``cells``: what shows the bound, where the exact strategy proved it beside another;
    ``warnings``: what the strategy has to say of its result.
    """

    mappings: int = 0
    samples: int = 0
    seconds: float = 0.0
    value: float = float("inf")
    edp: float = float("inf")
    bound: float = 0.0
    best: LoopNest | None = None
    misfit: str = ""
    phase: str = "begin"
    fraction: float = 0.0
    done: bool = False
    history: list[tuple[int, float, float]] = field(default_factory=list)
    bounds: list[tuple[float, float]] = field(default_factory=list)
    private: dict[str, Any] = field(default_factory=dict)
    least: dict[str, float] = field(default_factory=dict)
    made_by: list[dict[str, Any]] = field(default_factory=list)
    unproven: str = ""
    cells: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def count(self, mappings: int, layers: int) -> None:
        """Count evaluated mappings of single layers; a design's worth of them is a sample."""
        self.mappings += mappings
        self.samples = self.mappings // layers

    def offer(self, nests: LoopNest, problem: SearchProblem) -> tuple[NetworkCost, Tensor]:
        """Take the best of designs ``[design, layer]`` if it beats the best so far.

        Return what ``problem.evaluate`` did: their costs and objectives ``[design]``.
        """
        cost, values = problem.evaluate(nests)
        index = int(values.argmin())
        if self.best is None and problem.caps.any:
            for name, figure in least_capped(nests, cost, problem).items():
                self.least[name] = min(figure, self.least.get(name, figure))
        if self.best is None and values[index].isinf():
            self.misfit = misfit(nests.each(lambda tensor: tensor[index]), problem)
        if float(values[index]) < self.value:
            self.value = float(values[index])
            self.edp = float(cost.energy_pj[index]) * UJ_PER_PJ * float(cost.cycles[index])
            self.best = nests.each(lambda tensor: tensor[index].clone())
        return cost, values

    def note(self, provenance: dict[str, Any]) -> None:
        """Note what goes on with the search."""
        if provenance not in self.made_by:
            self.made_by.append(provenance)

    def record(self) -> None:
        """Note the best design's EDP [uJ*cycles], and the proven bound, in the history."""
        if self.best is not None:
            self.history.append((self.samples, self.seconds, self.edp))
            self.bounds.append((self.value, self.bound))

    def pack(self) -> dict[str, Any]:
        """Return tensors, numbers, text, lists and dicts that ``unpack`` makes the state of."""
        return {**vars(self), "best": None if self.best is None else asdict(self.best)}

    @classmethod
    def unpack(cls, packed: Mapping[str, Any]) -> SearchState:
        """Invert ``pack``; ``TypeError`` where a field is of another version."""
        best = packed.get("best")
        return cls(**{**packed, "best": None if best is None else LoopNest(**best)})

    @property
    def gap(self) -> float | None:
        """How far the best design's objective lies above the proven bound, as a share."""
        if self.best is None or self.bound <= 0:
            return None
        return max(0.0, self.value / self.bound - 1)


Observer = Callable[[SearchState], None]


class Strategy(Protocol):
    """Proposes designs; every evaluation of a whole design counts as one sample.

    ``needs_gradient``: only works with a latency model that is differentiable. ``pads``: proposes
    padded mappings where the problem allows them. One that bounds its results
    itself has ``proves`` too; one whose fronts take what a proof finds ``takes_proofs``; one that
    calls a machine's library its own way ``prepared``, which returns the problem with those calls.
    """

    name: str
    needs_gradient: ClassVar[bool]
    pads: ClassVar[bool]

    def check(self, problem: SearchProblem) -> None:
        """Refuse a problem that the strategy is not for; ``ConfigError`` names the field."""
        ...

    def advance(
        self, problem: SearchProblem, state: SearchState, budget: Budget, seed: int
    ) -> Iterator[None]:
        """Update ``state`` unit by unit, yielding after each (about a second of work at most).

        Must go on from any state that it yielded, and end with ``state.done`` set. The result may
        depend on the seed, never on time (unless the budget is one) or the number of workers.

        Where a unit can take longer it asks the budget inside, whose ``OutOfTimeError`` it lets
        pass: what it offered until then stays, what it keeps in ``private`` is as before the unit.
        """
        ...


def generator(seed: int, *stream: int) -> torch.Generator:
    """Return a random generator of its own for each seed and stream."""
    mixed = seed
    for part in stream:
        mixed = seed_of(mixed, part + 1)
    return torch.Generator().manual_seed(mixed)


def seed_of(seed: int, part: int) -> int:
    """Return a seed below 2**63 for a part of what a seed's own search draws."""
    return (seed * 1_000_003 + part) % (2**63 - 1)
