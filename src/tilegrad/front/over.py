"""One front for each value of what no search chooses: technology node, clock, bandwidth of DRAM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from omegaconf import DictConfig, open_dict

from tilegrad.errors import ConfigError, unknown
from tilegrad.front.front import Front, decades, worst

NODE = "node"
UNITS = {NODE: "", "clock_mhz": "MHz", "dram_gbs": "GB/s"}
"""What fronts may be searched over, with units."""

SRAM = "sram-40nm"
"""The table of energies that knows technology nodes."""


@dataclass(frozen=True)
class Over:
    """The ``values`` of what fronts are searched over."""

    name: str
    values: tuple[float | str, ...]

    def told(self, value: float | str) -> str:
        """Return a value with its unit."""
        return f"{value} {UNITS[self.name]}".strip()

    def place(self, value: float | str) -> str:
        """Return the directory of a value's front."""
        return f"{self.name}-{value}"

    def config(self, config: DictConfig, value: float | str) -> DictConfig:
        """Return a search's config with a value; ``ConfigError`` where it has no place there."""
        own = config.copy()
        with open_dict(own):
            own.over = None
            if self.name == "dram_gbs":
                own.caps.dram_gbs = value
            elif self.name == "clock_mhz":
                own.accelerator.clock_mhz = value
            else:
                own.accelerator.energy = {**_sram(config), NODE: value}
        return own


def _sram(config: DictConfig) -> dict[str, object]:
    """Return the settings of an accelerator's energies, which have to know nodes."""
    energy = config.accelerator.energy
    table = energy if isinstance(energy, str) else energy.get("table")
    if table != SRAM:
        raise ConfigError(
            f"over.{NODE} is of energies that know technology nodes, and accelerator.energy is "
            f"{table!r}; legal: accelerator.energy={SRAM}"
        )
    return {"table": SRAM} if isinstance(energy, str) else dict(energy)


def read_over(given: object) -> Over:
    """Return what ``over={NAME:[VALUE,...]}`` means; ``ConfigError`` says what is legal."""
    legal = f"one of {', '.join(UNITS)} with its values, as in over={{clock_mhz:[500,1000]}}"
    if not isinstance(given, Mapping) or len(given) != 1:
        raise ConfigError(f"over is {given!r}; legal: {legal}")
    name, values = next(iter(given.items()))
    if name not in UNITS:
        raise ConfigError(unknown("over", name, UNITS))
    if isinstance(values, str) or not isinstance(values, Sequence) or len(values) < 2:
        raise ConfigError(f"over.{name} is {values!r}; legal: a list of two values or more")
    if len(set(values)) < len(values):
        raise ConfigError(f"over.{name} is {list(values)}; legal: different values")
    return Over(str(name), tuple(values))


@dataclass(frozen=True)
class Fronts:
    """A front for each value, in the order of ``over.values``."""

    over: Over
    fronts: tuple[Front, ...]

    def hypervolumes(self) -> list[float]:
        """Return each front's, up to the same reference, in decades."""
        values = [row for front in self.fronts for row in front.values]
        return [decades(front.values, worst(values)) for front in self.fronts]
