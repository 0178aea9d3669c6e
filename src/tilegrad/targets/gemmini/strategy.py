"""Gemmini's own tiles as a strategy of search.py: the baseline of the machine's library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor

from tilegrad.accelerator import Accelerator
from tilegrad.cost.analytical import layer_cost
from tilegrad.cost.capacity import find_overflows
from tilegrad.cost.hardware import excess
from tilegrad.errors import ConfigError, InfeasibleError
from tilegrad.machines.gemmini.generator import halves
from tilegrad.machines.gemmini.nests import even_nests, pixel_tiles
from tilegrad.machines.gemmini.template import PARAMETERS, check_template
from tilegrad.mapping import LoopNest, stack
from tilegrad.mapping.loopnest import concatenate
from tilegrad.nest import analyse
from tilegrad.search.budget import Budget
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState
from tilegrad.shape.conv import CONV, GROUPED
from tilegrad.targets.gemmini.layers import bounds_of, in_order, runs_as_product, smaller_tiles
from tilegrad.targets.gemmini.tiler import library_blocks, library_call, library_tile
from tilegrad.workload import Problem

Sizes = Mapping[str, float]


@dataclass(frozen=True)
class LibraryStrategy:
    """Tiles each layer of given hardware as Gemmini's library does.

    Its tiles need not divide the layer: a checkpoint prices the library's very calls. Accesses are
    those of a nest with as many tiles of equal length, which has less to pad than one of ragged
    tiles: of all of those the one that takes the least energy, to the baseline's favour.
    """

    name: str = field(default="gemmini_library", init=False)
    needs_gradient: ClassVar[bool] = False
    pads: ClassVar[bool] = False

    def check(self, problem: SearchProblem) -> None:
        """Refuse an accelerator that is no Gemmini, and sizes that are left open."""
        check_template(problem.accelerator, f"strategy={self.name}")
        for layer in problem.workload.layers:
            if layer.shape not in (CONV, GROUPED):
                raise ConfigError(
                    f"layer {layer.name!r} is a {layer.shape.told}, which strategy={self.name} "
                    "does not tile; legal: conv (a matmul is one of ones)"
                )
        for name in PARAMETERS:
            if name not in problem.hardware.fixed:
                raise ConfigError(
                    f"hardware.{name} is null, and strategy={self.name} tiles for given sizes; "
                    f"legal: numbers for {', '.join(PARAMETERS)} (Gemmini's default: 16, 128, 32)"
                )

    def prepared(self, problem: SearchProblem) -> SearchProblem:
        """Return the problem with the library's calls, which a checkpoint then prices."""
        built = halves(problem.hardware.fixed)
        layers = problem.workload.layers
        calls = [library_call(layer, built) for layer in layers]
        rows = [
            call.row(bounds_of(layer), built.dim) for call, layer in zip(calls, layers, strict=True)
        ]
        model = (
            problem.model if problem.learned is None else problem.learned.calling(torch.stack(rows))
        )
        return replace(problem, model=model, calls=tuple(map(str, calls)))

    def advance(
        self,
        problem: SearchProblem,
        state: SearchState,
        budget: Budget,  # noqa: ARG002
        seed: int,  # noqa: ARG002
    ) -> Iterator[None]:
        """Offer the library's design, the only one; see ``Strategy.advance``."""
        layers = problem.workload.layers
        sizes, accelerator = problem.hardware.fixed, problem.accelerator
        design = stack([library_nest(layer, sizes, accelerator) for layer in layers])
        state.offer(design.alone(), problem)
        state.count(len(layers), len(layers))
        state.phase, state.fraction, state.done = "tile", 1.0, True
        yield


def library_nest(problem: Problem, hardware: Sizes, accelerator: Accelerator) -> LoopNest:
    """Return the nest ``[level, dim]`` that stands for the library's tile on ``hardware``.

    Where words do not fit that rows of the array hold, one prime factor after another moves out of
    the tile, always the one that leaves the least excess. Raises ``InfeasibleError`` naming the
    layer where not even one step of the array fits.
    """
    strides = torch.tensor(problem.strides, dtype=torch.float64)
    accelerator = accelerator.running(problem.shape)
    nests = in_order(_nests(problem, hardware).over(len(problem.shape.dims)), problem)
    nest = analyse(nests, strides, accelerator)
    over = excess(accelerator.requirements, nest, hardware).expand(nests.batch_shape)
    if bool((fits := over <= 0).any()):
        energy = layer_cost(nest, accelerator, hardware).energy_pj.expand(nests.batch_shape)
        return nests[int(energy.where(fits, torch.inf).argmin())]
    return _fitting_nest(nests[int(over.argmin())], problem, hardware, accelerator)


def _nests(problem: Problem, hardware: Sizes) -> LoopNest:
    """Return the nests ``[nest, level, dim]`` that may stand for the library's tile."""
    built, bounds = halves(hardware), bounds_of(problem)
    width = int(hardware["pe_dim"])
    tile = library_tile(problem, built)
    if not runs_as_product(problem):
        return even_nests(tile, bounds, width)
    rows = library_blocks(problem, built)[0] * built.dim
    each = [even_nests({**tile, **pixels}, bounds, width) for pixels in pixel_tiles(rows, bounds)]
    return concatenate(each)


def _fitting_nest(
    nest: LoopNest, problem: Problem, hardware: Sizes, accelerator: Accelerator
) -> LoopNest:
    strides = torch.tensor(problem.strides, dtype=torch.float64)

    def over(nests: LoopNest) -> Tensor:
        found = analyse(nests, strides, accelerator)
        return excess(accelerator.requirements, found, hardware).expand(nests.batch_shape)

    while over(nest) > 0:
        smaller = smaller_tiles(nest)
        if not smaller:
            one = nest.alone()
            found = find_overflows(analyse(one, strides, accelerator), accelerator, hardware)
            raise InfeasibleError(
                f"layer {problem.name!r} does not fit, by one step of the array: "
                f"{'; '.join(map(str, found[0]))}; enlarge hardware"
            )
        nest = smaller[int(over(stack(smaller)).argmin())]
    return nest
