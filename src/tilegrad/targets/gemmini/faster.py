"""Products of a found design whose tile is the library's own as a convolution, and faster as one.

``tiled_matmul`` has loops of its own to set up, so that ``tiled_conv`` is the faster one for some
1 x 1 kernels. Of other tiles than those that ``tiled_conv_auto`` chooses, models are no judges of
which call is the faster one (docs/rtl.md, measured on RTL).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from tilegrad.cost.latency import LearnedModel
from tilegrad.machines.gemmini.calls import CONVOLUTION
from tilegrad.machines.gemmini.generator import Generator, halves
from tilegrad.machines.gemmini.given import TILES, GivenCall
from tilegrad.machines.gemmini.nests import pixel_extents
from tilegrad.mapping import LoopNest
from tilegrad.predictors.features.commands import Commands
from tilegrad.predictors.latency import PredictedLatency
from tilegrad.search.problem import SearchProblem
from tilegrad.shape.conv import DIMS
from tilegrad.targets.gemmini.layers import Tiled, bounds_of, obstacle, runs_as_product
from tilegrad.targets.gemmini.tiler import convolution_tile
from tilegrad.workload import Problem

OPTIONS = 2
"""Calls looked at for each layer: as exported, and as the library's own convolution."""

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
    cost, _ = problem.evaluate(design.alone())
    built = halves({name: float(value) for name, value in cost.hardware.items()})
    each = [_options(layer, design[at], built) for at, layer in enumerate(layers)]
    pairs = zip(each, layers, strict=True)
    calls = torch.stack([_rows(options, layer, built) for options, layer in pairs], 1)
    cycles = torch.stack([_predicted(problem, model.calling(rows), design) for rows in calls])
    cycles[0] *= 1 - LEAST_GAIN
    chosen = cycles.argmin(0)
    if not bool(chosen.any()):
        return problem
    texts = [options[place] for options, place in zip(each, chosen.tolist(), strict=True)]
    rows = calls[chosen, torch.arange(len(layers))]
    named = tuple(None if call is None else str(call) for call in texts)
    return replace(problem, model=model.calling(rows), calls=named)


def _predicted(problem: SearchProblem, model: LearnedModel, design: LoopNest) -> Tensor:
    """Return the predicted cycles ``[layer]`` of a design's programs with given calls."""
    there, alone = replace(problem, model=model), design.alone()
    sums = there.footprint(alone).expand(1, len(problem.workload.layers))[0]
    hardware = problem.evaluate(alone)[0].hardware
    return model.predicted(sums, problem.accelerator, hardware)


def _options(layer: Problem, nest: LoopNest, built: Generator) -> list[GivenCall | None]:
    """Return the calls that may run a layer: None, as exported, and a product as a convolution.

    Its tile is the found one, or the one of whole blocks of the array that the product runs.
    """
    if obstacle(layer) is not None or not runs_as_product(layer):
        return [None]
    found, bounds = Tiled(layer, nest, built), bounds_of(layer)
    rows, filters, channels = (blocks * built.dim for blocks in found.product_blocks)
    whole = {"K": min(filters, bounds["K"]), "C": min(channels, bounds["C"])}
    own = convolution_tile(layer, built)
    if own not in (found.tile, {**found.tile, **pixel_extents(rows, bounds), **whole}):
        return [None]
    call = GivenCall(CONVOLUTION, {name: own[dim] for name, dim in TILES[CONVOLUTION].items()})
    return [None, call]


def _rows(options: Sequence[GivenCall | None], layer: Problem, built: Generator) -> Tensor:
    """Return calls ``[option, 1 + dim]`` as ``Schedules.calls`` has them; zeros: as exported."""
    rows = torch.zeros(OPTIONS, 1 + len(DIMS), dtype=torch.float64)
    for place, call in enumerate(options):
        if call is not None:
            rows[place] = call.row(bounds_of(layer), built.dim)
    return rows
