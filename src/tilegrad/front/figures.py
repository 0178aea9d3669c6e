"""The figures that a front may be of: what is minimised, and what is held below caps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from tilegrad.errors import ConfigError, unknown
from tilegrad.record import Result

MINIMISED = ("edp", "energy", "latency")
"""The first figure: an objective of searches."""

CAPPED = ("area_mm2", "latency_ms", "power_w")
"""The others: fields of ``caps``."""

MOST = 3

T = TypeVar("T", float, Tensor)


@dataclass(frozen=True)
class Figure:
    """A figure of a design; less is better."""

    name: str
    unit: str

    @property
    def text(self) -> str:
        """What axes and headings say."""
        return f"{self.name.rsplit('_', 1)[0] if self.name in CAPPED else self.name} [{self.unit}]"

    def of(self, result: Result) -> float:
        """Return a design's figure, of all its layers' executions."""
        if self.name == "edp":
            return result.edp
        clock = result.clock_mhz
        return float(self.value(result.energy_uj, result.cycles, result.area_mm2, clock))

    def value(self, energy_uj: T, cycles: T, area_mm2: T, clock_mhz: float | None) -> T:
        """Return the figure of a network's energy, cycles and area: numbers or tensors."""
        # Caps on milliseconds and watts were refused where there is no clock.
        milliseconds = cycles / (1e3 * (clock_mhz or 1.0))
        return {
            "edp": energy_uj * cycles, "energy": energy_uj, "latency": cycles,
            "area_mm2": area_mm2, "latency_ms": milliseconds,
            "power_w": energy_uj * 1e-3 / milliseconds,
        }[self.name]  # fmt: skip


UNITS = {
    "edp": "uJ*cycles", "energy": "uJ", "latency": "cycles",
    "area_mm2": "mm2", "latency_ms": "ms", "power_w": "W",
}  # fmt: skip


def read_figures(given: object) -> tuple[Figure, ...]:
    """Return the figures of ``front=[...]``; ``ConfigError`` says what is legal."""
    if isinstance(given, str) or not isinstance(given, Sequence) or not 2 <= len(given) <= MOST:
        raise ConfigError(
            f"front is {given!r}; legal: one of {', '.join(MINIMISED)} and one or two of "
            f"{', '.join(CAPPED)}, as in front=[edp,area_mm2]"
        )
    first, *others = given
    if first not in MINIMISED:
        raise ConfigError(unknown("front[0]", first, MINIMISED))
    for place, name in enumerate(others, start=1):
        if name not in CAPPED:
            raise ConfigError(unknown(f"front[{place}]", name, CAPPED))
    if len(set(given)) < len(given):
        raise ConfigError(f"front is {list(given)}; legal: different figures")
    return tuple(Figure(name, UNITS[name]) for name in given)
