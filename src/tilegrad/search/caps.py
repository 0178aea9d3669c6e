"""Caps on what a design does, beside those on its sizes: latency, power, bandwidth of DRAM.

Power is a network's average: its energy over its time at the accelerator's clock, without leakage.
Of several networks each has to keep to the caps. The DRAM's bandwidth is no condition on designs:
where it is capped the machine has no more (``accelerator.limited``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.limited import BANDWIDTH
from tilegrad.checks import CAPPED, positive_number
from tilegrad.errors import ConfigError

LATENCY, POWER = "latency_ms", "power_w"
ROUNDED = 1 + 1e-12
"""A cap that is given as a design's own figure holds it."""

NEAR = 0.99
"""Share of a cap from which a design is said to be at it."""


@dataclass(frozen=True)
class Caps:
    """The most cycles of a network, and the most pJ a cycle; infinite where there is no cap.

    ``clock_mhz`` turns them into what users say: milliseconds, watts. ``dram_gbs``: what the
    accelerator's DRAM was limited to.
    """

    cycles: float = inf
    pj_per_cycle: float = inf
    clock_mhz: float = 1.0
    dram_gbs: float = inf

    @property
    def given(self) -> dict[str, float]:
        """Those that there are, by the names and in the units of configs."""
        every = {
            LATENCY: self.cycles / (1e3 * self.clock_mhz),
            POWER: self.pj_per_cycle * 1e-6 * self.clock_mhz,
            BANDWIDTH: self.dram_gbs,
        }
        return {name: cap for name, cap in every.items() if cap < inf}

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return min(self.cycles, self.pj_per_cycle) < inf

    def excess(self, energy: Tensor, latency: Tensor) -> Tensor:
        """Return the log of how far energies and latencies exceed them, ``[...]``; 0 where not."""
        excess = torch.zeros_like(latency)
        for figure, cap in ((latency, self.cycles), (energy / latency, self.pj_per_cycle)):
            if cap < inf:
                excess = excess + (figure / (cap * ROUNDED)).log().clamp(min=0)
        return excess

    def met(self, energy: Tensor, latency: Tensor) -> Tensor:
        """Return which energies and latencies keep to them, ``[...]``."""
        return (latency <= self.cycles * ROUNDED) & (
            energy <= self.pj_per_cycle * latency * ROUNDED
        )

    def told(self, energy: Tensor, latency: Tensor) -> Iterator[tuple[str, float, Tensor]]:
        """Yield the name of each cap, its value and the figures ``[...]`` in its unit."""
        if self.cycles < inf:
            per_ms = 1e3 * self.clock_mhz
            yield LATENCY, self.cycles / per_ms, latency / per_ms
        if self.pj_per_cycle < inf:
            watts = 1e-6 * self.clock_mhz
            yield POWER, self.pj_per_cycle * watts, energy / latency * watts


def read_caps(accelerator: Accelerator, given: Mapping[str, object]) -> Caps:
    """Return the caps of a config's ``caps``; ``ConfigError`` names one that makes no sense."""
    values = _values(accelerator, given)
    clock = accelerator.clock_mhz or 1.0
    return Caps(
        values[LATENCY] * 1e3 * clock if LATENCY in values else inf,
        values[POWER] * 1e6 / clock if POWER in values else inf,
        clock,
        values.get(BANDWIDTH, inf),
    )


def _values(accelerator: Accelerator, given: Mapping[str, object]) -> dict[str, float]:
    values = {
        name: positive_number(f"caps.{name}", given[name])
        for name in CAPPED
        if given.get(name) is not None
    }
    if values and accelerator.clock_mhz is None:
        raise ConfigError(
            f"caps.{next(iter(values))} is of a clock, and accelerator {accelerator.name} has "
            "none; legal: accelerator.clock_mhz=NUMBER with it"
        )
    return values


NO_CAPS = Caps()
