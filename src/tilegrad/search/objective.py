"""What a search minimises, and how a layer's energy and latency weigh in it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from tilegrad.errors import ConfigError, unknown

UJ_PER_PJ = 1e-6

TIE = 1e-9
"""Power of a figure that an objective ignores, so that it still breaks ties."""


@dataclass(frozen=True)
class Objective:
    """A figure of a whole design, from energy [pJ], latency [cycles] and area [mm²].

    ``energy_power``, ``latency_power``, ``area_power``: the figure is their product. Near a design
    the figure is linear in the layers' energies and latencies, which is what ``weights`` gives.
    """

    name: str
    energy_power: float
    latency_power: float
    area_power: float

    def value(self, energy: Tensor, latency: Tensor, area: Tensor) -> Tensor:
        """Return the figure; arguments broadcast."""
        return energy**self.energy_power * latency**self.latency_power * area**self.area_power

    def log_cost(self, energy: Tensor, latency: Tensor) -> Tensor:
        """Return the log of a layer's own figure at given area; ties broken as in ``weights``."""
        for_energy, for_latency = max(self.energy_power, TIE), max(self.latency_power, TIE)
        return for_energy * energy.log() + for_latency * latency.log()

    def weights(self, energy: Tensor, latency: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weights of a layer's pJ and cycles at a design, so that they compare.

        A figure that ignores one of the two still breaks ties by it.
        """
        return max(self.energy_power, TIE) / energy, max(self.latency_power, TIE) / latency

    def reported(self, value: float) -> float:
        """Return a value of energies in pJ in the units of results, whose energies are in uJ."""
        return value * UJ_PER_PJ**self.energy_power


OBJECTIVES = {
    objective.name: objective
    for objective in (
        Objective("edp", 1, 1, 0),
        Objective("energy", 1, 0, 0),
        Objective("latency", 0, 1, 0),
        Objective("area-delay", 0, 1, 1),
    )
}


def objective(name: str) -> Objective:
    """Return the objective of that name; ``ConfigError`` lists the legal ones."""
    if name not in OBJECTIVES:
        raise ConfigError(unknown("objective", name, OBJECTIVES))
    return OBJECTIVES[name]
