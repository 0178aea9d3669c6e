"""Gemmini's own tiles as a strategy of search.py: the baseline of the machine's library."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as SizeMapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch

from tilegrad.accelerator import AXES
from tilegrad.dims import DIMS
from tilegrad.errors import ConfigError
from tilegrad.machines.gemmini.calls import ORDER
from tilegrad.machines.gemmini.generator import generator
from tilegrad.machines.gemmini.template import LEVELS, PARAMETERS, check_template
from tilegrad.mapping import Mapping, stack
from tilegrad.mapping.factors import divisors
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import Budget, SearchState
from tilegrad.targets.gemmini.tiler import library_tile
from tilegrad.workload import Problem

_ACCUMULATOR, _SCRATCHPAD = LEVELS.index("Accumulator"), LEVELS.index("Scratchpad")
_INNER_ORDER = "KSRCNQP"
"""Weights stay in the array while it runs over the pixels."""


@dataclass(frozen=True)
class LibraryStrategy:
    """Tiles each layer of given hardware as Gemmini's library does.

    A mapping's factors divide the layer, where the library's tiles need not: each extent is the
    largest divisor that is no larger.
    """

    name: str = field(default="gemmini_library", init=False)
    needs_gradient: ClassVar[bool] = False

    def check(self, problem: SearchProblem) -> None:
        """Refuse an accelerator that is no Gemmini, and sizes that are left open."""
        check_template(problem.accelerator, f"strategy={self.name}")
        for name in PARAMETERS:
            if name not in problem.hardware.fixed:
                raise ConfigError(
                    f"hardware.{name} is null, and strategy={self.name} tiles for given sizes; "
                    f"legal: numbers for {', '.join(PARAMETERS)} (Gemmini's default: 16, 128, 32)"
                )

    def advance(
        self,
        problem: SearchProblem,
        state: SearchState,
        budget: Budget,  # noqa: ARG002
        seed: int,  # noqa: ARG002
    ) -> Iterator[None]:
        """Offer the library's design, the only one; see ``Strategy.advance``."""
        layers = problem.workload.layers
        design = stack([library_nest(layer, problem.hardware.fixed) for layer in layers])
        state.offer(design.each(lambda tensor: tensor.unsqueeze(0)), problem)
        state.count(len(layers), len(layers))
        state.phase, state.fraction, state.done = "tile", 1.0, True
        yield


def library_nest(problem: Problem, hardware: SizeMapping[str, float]) -> Mapping:
    """Return the loop nest ``[level, dim]`` of the library's tile on Gemmini's ``hardware``."""
    tile = library_tile(problem, generator(hardware))
    bounds = dict(zip(DIMS, problem.bounds, strict=True))
    inside = {dim: _divisor(bounds[dim], tile[dim]) for dim in DIMS}
    width = int(hardware["pe_dim"])
    lanes = {dim: _divisor(inside[dim], width) for dim in "CK"}
    temporal = torch.ones(len(LEVELS), len(DIMS), dtype=torch.float64)
    spatial = torch.ones(len(LEVELS), len(AXES), len(DIMS), dtype=torch.float64)
    for place, dim in enumerate(DIMS):
        temporal[0 if dim == "P" else _ACCUMULATOR, place] = inside[dim] // lanes.get(dim, 1)
        temporal[-1, place] = bounds[dim] // inside[dim]
    spatial[_ACCUMULATOR, 0, DIMS.index("C")] = lanes["C"]
    spatial[_SCRATCHPAD, 0, DIMS.index("K")] = lanes["K"]
    inner, outer = torch.tensor([DIMS.index(dim) for dim in _INNER_ORDER]), torch.tensor(ORDER)
    return Mapping(temporal, spatial, torch.stack([inner, inner, inner, outer]))


def _divisor(bound: int, most: int) -> int:
    return max(divisor for divisor in divisors(bound) if divisor <= most)
