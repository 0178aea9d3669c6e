"""Whether a larger free size costs anything: where nothing grows with it, neither does an optimum.

What depends on a size is found by evaluating energies, area and bandwidths over a grid of sizes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import inf

import torch
from torch import Tensor

from tilegrad.accelerator.possible import impossible, possible
from tilegrad.cost import area_mm2
from tilegrad.cost.footprint import energy_rates, port_widths
from tilegrad.cost.hardware import Hardware
from tilegrad.errors import ConfigError
from tilegrad.search.hardware import HardwareSpace
from tilegrad.search.objective import Objective

MOST = {"mesh": 2.0**12, "size": 2.0**20}
"""Sizes up to which parameters without a limit are looked at (PEs along an axis, KB)."""

POINTS = 4096
"""Points of the grid, about; each parameter has at least three values."""


@dataclass(frozen=True)
class Pricing:
    """What grows with each free parameter of a search, for its objective."""

    space: HardwareSpace
    objective: Objective

    def check(self) -> None:
        """Refuse a free size without a cap that costs neither energy nor area nor time."""
        for name in self._free:
            if self.space.limit(name) == inf and not any(
                self._grows(figure, name) for figure in (self._energy, self._area, self._time)
            ):
                raise ConfigError(
                    f"hardware.{name} is null and without a cap, and no energy, area or bandwidth "
                    f"of accelerator {self.space.accelerator.name} depends on it: the search would "
                    f"take any size; legal: hardware.{name}=NUMBER, caps.{name}=NUMBER, or "
                    "energies (energy: pat or sram-40nm, access_pj) or an area_mm2 that grow with "
                    "it"
                )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user should know of the accelerator before trusting a design."""
        return (*self._unpriced(), *self._senseless(), *self._without_area())

    def _unpriced(self) -> Iterator[str]:
        powers, accelerator = self.objective, self.space.accelerator
        counted = {
            "energies": (powers.energy_power, self._energy),
            "areas": (powers.area_power, self._area),
        }
        for name in (size for size in self._free if size in self.space.plan.sizes):
            figures = {what: figure for what, (power, figure) in counted.items() if power > 0}
            if figures and not any(self._grows(figure, name) for figure in figures.values()):
                limit = self.space.limit(name)
                up_to = f", up to caps.{name} = {limit:g}" if limit < inf else ""
                yield (
                    f"the {' and '.join(figures)} of accelerator {accelerator.name} do not grow "
                    f"with {name}, which is free: they hold for the size they were made for, and "
                    f"the search takes as much as mappings can use{up_to}; fix hardware.{name}, or "
                    f"cap it"
                )

    def _senseless(self) -> Iterator[str]:
        """Yield the first sizes within the limits at which some field is no size or energy."""
        allowed = possible(self.space.accelerator, self._grid).expand(self._shape)
        for point in (~allowed).nonzero()[:1].tolist():
            sizes = {n: float(v.expand(self._shape)[tuple(point)]) for n, v in self._grid.items()}
            yield f"{impossible(self.space.accelerator, sizes)}; such hardware is not searched"

    def _without_area(self) -> Iterator[str]:
        if self.objective.area_power == 0 and self.space.area_cap is None:
            return
        accelerator = self.space.accelerator
        stored = [level for level in accelerator.levels if level.keeps and level.kind != "dram"]
        bare = [x.name for x in stored if accelerator.area_mm2(x, self._grid) is None]
        if bare:
            yield f"area counts, and {', '.join(bare)} have no area_mm2: they count as nothing"

    @cached_property
    def _free(self) -> list[str]:
        return [name for name in self.space.accelerator.parameters if name not in self.space.fixed]

    @cached_property
    def _grid(self) -> Hardware:
        """Sizes from the least to the limits, one dimension for each free parameter."""
        each = max(3, int(POINTS ** (1 / max(1, len(self._free)))))
        grid = {n: torch.tensor(v, dtype=torch.float64) for n, v in self.space.fixed.items()}
        for place, name in enumerate(self._free):
            least = max(1.0, self.space.accelerator.parameters[name].minimum)
            mesh = name in self.space.plan.meshes
            most = max(least, min(self.space.limit(name), MOST["mesh" if mesh else "size"]))
            steps = torch.linspace(0, 1, each, dtype=torch.float64)
            sizes = (least * (most / least) ** steps).round().unique()
            grid[name] = sizes.view(
                *[-1 if axis == place else 1 for axis in range(len(self._free))]
            )
        return grid

    @property
    def grid(self) -> tuple[Hardware, tuple[int, ...], list[str]]:
        """Sizes within the limits, a dimension for each free parameter; its counts and names."""
        return self._grid, self._shape, self._free

    @property
    def _shape(self) -> tuple[int, ...]:
        return tuple(self._grid[name].numel() for name in self._free)

    @cached_property
    def _energy(self) -> Tensor:
        return energy_rates(self.space.accelerator, self._grid)

    @cached_property
    def _area(self) -> Tensor:
        area = torch.as_tensor(area_mm2(self.space.accelerator, self._grid), dtype=torch.float64)
        return area.unsqueeze(-1)

    @cached_property
    def _time(self) -> Tensor:
        return -port_widths(self.space.accelerator, self._grid)

    def _grows(self, figure: Tensor, name: str) -> bool:
        """Return whether some column of ``[size of each free parameter ..., column]`` grows."""
        table = figure.expand(*self._shape, figure.shape[-1])
        return bool((table.diff(dim=self._free.index(name)) > 0).any())
