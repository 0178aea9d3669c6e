"""What is known of a layer's energies and latencies: mappings found, and proofs at prices."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

from tilegrad.mapping import LoopNest

if TYPE_CHECKING:
    from tilegrad.search.exact.mapper.mapper import LayerMapper

BEAMS = (1, 30, 300)
"""Partial mappings kept at a boundary to find a first mapping that the others have to beat."""


@dataclass
class Front:
    """Mappings of one layer that were best at some price of a cycle; before rounding to blocks."""

    energies: list[float] = field(default_factory=list)
    cycles: list[float] = field(default_factory=list)
    nests: list[LoopNest] = field(default_factory=list)

    def best(self, price: float) -> int:
        """Return the place of the mapping that is best at a price [pJ per cycle]."""
        return min(range(len(self.nests)), key=lambda at: self.cost(at, price))

    def cost(self, at: int, price: float) -> float:
        """Return what a mapping costs at a price [pJ]."""
        return self.energies[at] + price * self.cycles[at]

    def begin(self, mapper: LayerMapper, price: float) -> float:
        """Look for first mappings that the others have to beat; return what the best one costs."""
        for beam in BEAMS:
            self.look(mapper, price, beam)
        return self.cost(self.best(price), price)

    def look(self, mapper: LayerMapper, price: float, most: int | None, gap: float = 0.0) -> float:
        """Look for a mapping that is better at a price by more than ``gap``; add what is found.

        Returns the cost [pJ] below which there is none; of ``most`` partial mappings at a boundary
        (None: all), without which it is a proof.
        """
        known = self.cost(self.best(price), price) if self.nests else inf
        found = mapper.best(price, known * (1 - gap), most)
        if found.nest is not None:
            self.energies.append(found.energy)
            self.cycles.append(found.cycles)
            self.nests.append(found.nest)
        return found.bound

    def pack(self) -> dict[str, Any]:
        """Return tensors and numbers that ``unpack`` makes a front of."""
        return {
            "energies": self.energies,
            "cycles": self.cycles,
            "nests": [[nest.temporal, nest.spatial, nest.order] for nest in self.nests],
        }

    @classmethod
    def unpack(cls, packed: dict[str, Any]) -> Front:
        """Invert ``pack``."""
        nests = [LoopNest(*tensors) for tensors in packed["nests"]]
        return cls(list(packed["energies"]), list(packed["cycles"]), nests)
