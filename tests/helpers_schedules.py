"""Schedules without any file: random mappings, with what the nest says of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import torch

from tests.helpers import default_sizes, gemmini, generator
from tilegrad.accelerator import Accelerator
from tilegrad.cost import layer_cost
from tilegrad.mapping import LoopNest, concatenate
from tilegrad.mapping.sampling import Sampler
from tilegrad.nest import analyse
from tilegrad.schedules import Finding, Schedules
from tilegrad.schedules.reading import Progress
from tilegrad.workload import Problem

LAYERS = (
    Problem("conv", (3, 3, 14, 14, 32, 64, 1)),
    Problem("strided", (3, 3, 7, 7, 16, 32, 1), (2, 2, 1, 1)),
    Problem("pointwise", (1, 1, 28, 28, 64, 32, 1)),
    Problem("linear", (1, 1, 1, 1, 128, 256, 16)),
    Problem("wide", (5, 1, 16, 8, 8, 128, 2)),
    Problem("matmul", (1, 1, 64, 1, 96, 96, 1)),
)

SIZES = ((4, 16, 8), (8, 32, 16), (8, 128, 16), (16, 64, 64), (32, 256, 64))
"""PEs in a row, KB of scratchpad, KB of accumulator: no order by any one of them is strict."""


@dataclass(frozen=True)
class MadeSchedules:
    """A source: ``each`` random mappings of every layer on every machine, the same ones for all.

    ``networks`` says whether layers belong to two networks, ``energy`` whether it was measured.
    """

    layers: int = len(LAYERS)
    machines: int = len(SIZES)
    each: int = 4
    seed: int = 0
    networks: bool = True
    energy: bool = True

    def load(self, progress: Progress | None = None) -> Schedules:  # noqa: ARG002
        """Return layers times machines times ``each`` rows."""
        return made_schedules(self)


def made_schedules(made: MadeSchedules, accelerator: Accelerator | None = None) -> Schedules:
    """Return the schedules; latency and energy are those of ``layer_cost``."""
    accelerator = accelerator or gemmini()
    layer, machine = _grid(made)
    nests = _nests(made, accelerator)
    bounds = torch.tensor([p.bounds for p in LAYERS], dtype=torch.float64)[layer]
    strides = torch.tensor([p.strides for p in LAYERS], dtype=torch.float64)[layer]
    hardware = {
        name: values[machine] for name, values in _hardware(accelerator, made.machines).items()
    }
    cost = layer_cost(analyse(nests, strides, accelerator), accelerator, hardware)
    energy = cost.energy_pj * 1e-6
    measured = {"latency": cost.cycles, "energy": energy, "edp": cost.cycles * energy}
    return Schedules(
        accelerator,
        nests,
        bounds,
        strides,
        hardware,
        measured if made.energy else {"latency": cost.cycles},
        layer,
        machine,
        layer % 2 if made.networks else None,
        tuple(problem.name for problem in LAYERS[: made.layers]),
        tuple(f"machine{number}" for number in range(made.machines)),
        ("even", "odd") if made.networks else (),
        (Finding("row was made up", len(layer), "row 1"),),
    )


def _grid(made: MadeSchedules) -> tuple[torch.Tensor, torch.Tensor]:
    """Return layer and machine of every row, both in a mixed order."""
    every = torch.tensor(list(product(range(made.layers), range(made.machines), range(made.each))))
    return every[:, 0], every[:, 1]


def _nests(made: MadeSchedules, accelerator: Accelerator) -> LoopNest:
    """Return ``each`` mappings a layer, that fit the smallest mesh, repeated for all machines."""
    smallest = {name: float(v[0]) for name, v in _hardware(accelerator, 1).items()}
    return concatenate(list(_drawn(made, accelerator, smallest)))


def _drawn(
    made: MadeSchedules, accelerator: Accelerator, hardware: dict[str, float]
) -> Iterator[LoopNest]:
    random = generator(made.seed)
    for problem in LAYERS[: made.layers]:
        drawn = Sampler(accelerator, problem, hardware).draw(made.each, random)
        yield drawn[torch.arange(made.each).repeat(made.machines)]


def _hardware(accelerator: Accelerator, machines: int) -> dict[str, torch.Tensor]:
    """Return Gemmini's sizes on each machine; others have the template's own on all of them."""
    if accelerator.name != "gemmini":
        own = default_sizes(accelerator).items()
        return {name: torch.full((machines,), size).double() for name, size in own}
    sizes = torch.tensor(SIZES[:machines], dtype=torch.float64)
    return {name: sizes[:, place] for place, name in enumerate(accelerator.parameters)}
