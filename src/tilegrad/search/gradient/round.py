"""One round of polishing, as it is saved between units of work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tilegrad.search.gradient.focus import Focus
from tilegrad.search.gradient.pool import LayerPool
from tilegrad.search.points import hardware_points
from tilegrad.search.problem import SearchProblem


@dataclass
class Round:
    """The candidates of every layer, and how far the round has come.

    ``layer`` is the next to be refined; ``value`` the search's best when the round began;
    ``padded``: whether the layers' padded choices are looked at already.
    """

    number: int
    layer: int
    pools: list[LayerPool]
    focus: Focus
    value: float
    padded: bool

    def pack(self) -> dict[str, Any]:
        """Return tensors, numbers, lists and dicts that ``unpack`` makes the round of."""
        return {
            "pools": [pool.pack() for pool in self.pools],
            "layer": self.layer,
            "round": self.number,
            "padded": self.padded,
            "hardware": self.focus.points.hardware,
            "weights": list(self.focus.weights),
            "slack": self.focus.slack,
            "value": self.value,
        }

    @classmethod
    def unpack(cls, packed: Mapping[str, Any], problem: SearchProblem) -> Round:
        """Invert ``pack``; what else ``packed`` holds does not matter."""
        # A column for each network.
        energy, latency = (weight.view(len(weight), -1) for weight in packed["weights"])
        points = hardware_points(problem.accelerator, packed["hardware"])
        return cls(
            packed["round"],
            packed["layer"],
            [LayerPool.unpack(tensors) for tensors in packed["pools"]],
            Focus(points, (energy, latency), packed["slack"], problem.model),
            packed["value"],
            packed["padded"],
        )
