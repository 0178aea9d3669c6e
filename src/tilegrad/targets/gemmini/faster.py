"""Products of a found design whose tile is the library's own as a convolution, and faster as one.

``tiled_matmul`` has loops of its own to set up, so that ``tiled_conv`` is the faster one for some
1 x 1 kernels. Of other tiles than those that ``tiled_conv_auto`` chooses, models are no judges of
which call is the faster one (docs/rtl.md, measured on RTL).
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from tilegrad.cost.latency import LearnedModel
from tilegrad.machines.gemmini.calls import CONVOLUTION
from tilegrad.machines.gemmini.generator import Generator, halves
from tilegrad.machines.gemmini.given import GivenCall
from tilegrad.machines.gemmini.nests import pixel_extents
from tilegrad.mapping import LoopNest
from tilegrad.predictors.features.commands import Commands
from tilegrad.predictors.latency import PredictedLatency
from tilegrad.search.predictions import design_sums
from tilegrad.search.problem import SearchProblem
from tilegrad.shape.conv import DIMS
from tilegrad.targets.gemmini.layers import Tiled, bounds_of, obstacle, runs_as_product
from tilegrad.targets.gemmini.tiler import convolution_tile
from tilegrad.workload import Problem

LEAST_GAIN = 1e-6
"""Share of its cycles by which the other call is faster, where that is no rounding."""


def counts_commands(model: LearnedModel | None) -> bool:
    """Return whether a model reads the commands that Gemmini's library issues."""
    return isinstance(model, PredictedLatency) and isinstance(model.features, Commands)


def with_faster_calls(problem: SearchProblem, design: LoopNest) -> SearchProblem:
    """Return the problem with the calls by which its model runs a design ``[layer]`` fastest.

    A product runs as ``tiled_conv`` where its tile is the one that ``tiled_conv_auto`` would run it
    with, and is predicted to take fewer cycles; all else as ``tilegrad export`` writes it. A
    problem whose calls are given is returned as it is.
    """
    model, layers = problem.learned, problem.workload.layers
    if model is None or not counts_commands(model) or problem.calls:
        return problem
    hardware = problem.evaluate(design.alone())[0].hardware
    built = halves({name: float(value) for name, value in hardware.items()})
    calls = [_as_convolution(layer, design[at], built) for at, layer in enumerate(layers)]
    if not any(calls):
        return problem
    rows = torch.stack([_row(*pair, built) for pair in zip(calls, layers, strict=True)])

    def predicted(of: LearnedModel) -> Tensor:
        sums = design_sums(replace(problem, model=of), design.alone())
        return of.predicted(sums, problem.accelerator, hardware)

    faster = predicted(model.calling(rows)) < predicted(model) * (1 - LEAST_GAIN)
    if not bool(faster.any()):
        return problem
    kept = [str(call) if pays else None for call, pays in zip(calls, faster.tolist(), strict=True)]
    rows = rows.where(faster.unsqueeze(-1), 0.0)
    return replace(problem, model=model.calling(rows), calls=tuple(kept))


def _as_convolution(layer: Problem, nest: LoopNest, built: Generator) -> GivenCall | None:
    """Return the library's own convolution of a product whose tile it has; None of all else.

    The tile is the found one, or the one of whole blocks of the array that the product runs.
    """
    if obstacle(layer) is not None or not runs_as_product(layer):
        return None
    found, bounds = Tiled(layer, nest, built), bounds_of(layer)
    rows, filters, channels = (blocks * built.dim for blocks in found.product_blocks)
    whole = {"K": min(filters, bounds["K"]), "C": min(channels, bounds["C"])}
    own = convolution_tile(layer, built)
    if own not in (found.tile, {**found.tile, **pixel_extents(rows, bounds), **whole}):
        return None
    return GivenCall.of_extents(CONVOLUTION, own)


def _row(call: GivenCall | None, layer: Problem, built: Generator) -> Tensor:
    """Return a call as ``Schedules.calls`` has it, ``[1 + dim]``; zeros: as exported."""
    if call is None:
        return torch.zeros(1 + len(DIMS), dtype=torch.float64)
    return call.row(bounds_of(layer), built.dim)
