"""Each of several networks on hardware of its own: what sharing is measured against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from tilegrad.mapping import LoopNest, stack

PARTS = ("edp", "energy_uj", "cycles", "area_mm2", "hardware", "status")
"""Fields of a network's own result that are told beside what it has on the shared hardware."""


@dataclass(frozen=True)
class OwnBest:
    """The best design found for a network alone.

    ``value``: its objective (energies in pJ); ``nests [layer]``: its mappings; ``hardware`` its
    sizes; ``record``: what results tell of it, with the ``gap`` where one is proven;
    ``seconds``: what its search took.
    """

    value: float
    nests: LoopNest | None = None
    hardware: Mapping[str, float] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


def side_by_side(owns: Sequence[OwnBest]) -> LoopNest | None:
    """Return the design ``[1, layer]`` of all networks' own mappings; None where some lack."""
    designs = [own.nests for own in owns if own.nests is not None]
    return joined_designs(designs) if owns and len(designs) == len(owns) else None


def joined_designs(designs: Sequence[LoopNest]) -> LoopNest:
    """Return the design ``[1, layer]`` of several networks' mappings ``[layer]``, in order."""
    layers = [nest[torch.tensor(at)] for nest in designs for at in range(len(nest.temporal))]
    return stack(layers).alone()
