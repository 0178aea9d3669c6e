"""Gemmini's own tiles as a strategy of search.py: the baseline of the machine's library."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as SizeMapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from tilegrad.cost.capacity import find_overflows
from tilegrad.cost.hardware import excess
from tilegrad.errors import ConfigError, InfeasibleError
from tilegrad.machines.gemmini.generator import generator
from tilegrad.machines.gemmini.nests import largest_divisor, tile_nest
from tilegrad.machines.gemmini.template import PARAMETERS, check_template
from tilegrad.mapping import LoopNest, stack
from tilegrad.nest import analyse
from tilegrad.search.budget import Budget
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState
from tilegrad.shape.conv import CONV, DIMS
from tilegrad.targets.gemmini.layers import smaller_tiles
from tilegrad.targets.gemmini.tiler import library_tile
from tilegrad.workload import Problem


@dataclass(frozen=True)
class LibraryStrategy:
    """Tiles each layer of given hardware as Gemmini's library does.

    A mapping's factors divide the layer, where the library's tiles need not: each extent is the
    largest divisor that is no larger. Where that leaves columns of the array idle, whose memory
    goes unused, the tile shrinks until it fits.
    """

    name: str = field(default="gemmini_library", init=False)
    needs_gradient: ClassVar[bool] = False
    pads: ClassVar[bool] = False

    def check(self, problem: SearchProblem) -> None:
        """Refuse an accelerator that is no Gemmini, and sizes that are left open."""
        check_template(problem.accelerator, f"strategy={self.name}")
        for layer in problem.workload.layers:
            if layer.shape != CONV:
                raise ConfigError(
                    f"layer {layer.name!r} is a {layer.shape.told}, which strategy={self.name} "
                    "does not tile; legal: conv of one group (a matmul is one of ones)"
                )
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
        design = stack([_fitting_nest(layer, problem) for layer in layers])
        state.offer(design.alone(), problem)
        state.count(len(layers), len(layers))
        state.phase, state.fraction, state.done = "tile", 1.0, True
        yield


def _fitting_nest(layer: Problem, problem: SearchProblem) -> LoopNest:
    """Return the library's nest, one prime factor after another moved out of its tile to fit.

    Always the one that leaves the least excess. Raises ``InfeasibleError`` naming the layer where
    not even one step of the array fits.
    """
    accelerator, sizes = problem.accelerator, problem.hardware.fixed
    strides = torch.tensor(layer.strides, dtype=torch.float64)

    def over(nests: LoopNest) -> Tensor:
        batch = nests.batch_shape
        nest = analyse(nests, strides, accelerator)
        return excess(accelerator.requirements, nest, sizes).expand(batch)

    nest = library_nest(layer, sizes)
    while over(nest) > 0:
        smaller = smaller_tiles(nest)
        if not smaller:
            one = nest.alone()
            found = find_overflows(analyse(one, strides, accelerator), accelerator, sizes)
            raise InfeasibleError(
                f"layer {layer.name!r} does not fit, by one step of the array: "
                f"{'; '.join(map(str, found[0]))}; enlarge hardware"
            )
        nest = smaller[int(over(stack(smaller)).argmin())]
    return nest


def library_nest(problem: Problem, hardware: SizeMapping[str, float]) -> LoopNest:
    """Return the loop nest ``[level, dim]`` of the library's tile on Gemmini's ``hardware``."""
    tile = library_tile(problem, generator(hardware))
    bounds = dict(zip(DIMS, problem.bounds, strict=True))
    inside = {dim: largest_divisor(bounds[dim], tile[dim]) for dim in DIMS}
    return tile_nest(inside, bounds, int(hardware["pe_dim"]))
