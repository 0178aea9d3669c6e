"""The hardware a search may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.accelerator.determined import Plan
from tilegrad.accelerator.possible import possible
from tilegrad.cost import area_mm2
from tilegrad.cost.hardware import Hardware, asked, least_hardware
from tilegrad.search.points import Points, hardware_points


@dataclass(frozen=True)
class HardwareSpace:
    """Parameters that the user fixed, upper limits of the others, and of the area.

    ``plan`` says how mappings tell the free ones; ``ConfigError`` names one that they do not tell.
    """

    accelerator: Accelerator
    fixed: Mapping[str, float]
    caps: Mapping[str, float]
    area_cap: float | None
    plan: Plan = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "plan", self.accelerator.plan(self.fixed))

    def limit(self, name: str) -> float:
        """Return the largest value of a parameter."""
        return float(self.fixed.get(name, self.caps.get(name, torch.inf)))

    def within(self, hardware: Hardware) -> Tensor:
        """Return which points respect every limit and make sense, ``[point]``."""
        allowed = torch.ones((), dtype=torch.bool)
        for name, value in hardware.items():
            allowed = allowed & (value <= self.limit(name))
        allowed = allowed & possible(self.accelerator, hardware)
        if self.area_cap is not None:
            area = torch.as_tensor(area_mm2(self.accelerator, hardware))
            allowed = allowed & (area <= self.area_cap)
        return allowed

    @property
    def settled(self) -> bool:
        """Whether no size is left to choose."""
        return set(self.accelerator.parameters) <= set(self.fixed)

    @property
    def own(self) -> dict[str, float] | None:
        """The template's own sizes but the fixed ones; None where some lack or exceed a limit."""
        sizes = {**self.accelerator.defaults, **self.fixed}
        if len(sizes) < len(self.accelerator.parameters):
            return None
        points = {name: torch.tensor([size], dtype=torch.float64) for name, size in sizes.items()}
        return sizes if bool(self.within(points).all()) else None

    @property
    def given(self) -> dict[str, float]:
        """The fixed parameters that no mapping tells."""
        return {name: self.fixed[name] for name in self.plan.given(self.fixed)}

    def widest(self, extent: float) -> dict[str, float]:
        """Return sizes that make meshes ``extent`` wide, or as wide as the limits allow.

        Of the parameters that meshes depend on, and of the fixed ones.
        """
        sizes = dict(self.fixed)
        widths = (float(column.is_mesh) * extent for column in self.accelerator.columns)
        needs = [torch.tensor(width, dtype=torch.float64) for width in widths]
        for step in self.plan.steps:
            if step.name in self.plan.meshes:
                need = float(asked(self.accelerator, step, needs, sizes).ceil())
                sizes[step.name] = min(self.limit(step.name), need)
        return sizes

    def ends(self, needs: Tensor, meshes: Mapping[str, float]) -> dict[str, tuple[float, float]]:
        """Return the least of each size that mappings tell, and the most that ``needs`` ask of it.

        ``needs [column]``; within the limits, beside meshes of these sizes.
        """
        found: dict[str, tuple[float, float]] = {}
        for name in self.plan.sizes:
            # What the sizes before it leave to this one: at their least, or at their most.
            known = ({n: each[end] for n, each in found.items()} for end in (1, 0))
            step = self.plan.step(name)
            asking = (
                asked(self.accelerator, step, needs.unbind(-1), {**each, **self.fixed, **meshes})
                for each in known
            )
            least = self.accelerator.parameters[name].minimum
            most = min(max(float(need) for need in asking), self.limit(name))
            found[name] = (least, max(least, most))
        return found

    def points(self, hardware: Hardware) -> Points | None:
        """Return the points of ``hardware`` (values broadcast) within the limits."""
        values = torch.broadcast_tensors(*map(torch.atleast_1d, hardware.values()))
        whole = {name: value.ceil() for name, value in zip(hardware, values, strict=True)}
        allowed = self.within(whole)
        if not allowed.any():
            return None
        return hardware_points(self.accelerator, {n: v[allowed] for n, v in whole.items()})

    def needed(self, needs: Tensor) -> Hardware:
        """Return the least hardware, in whole units, for needs ``[..., column]``."""
        return least_hardware(self.accelerator, needs.unbind(-1), self.fixed, exact=True).hardware
