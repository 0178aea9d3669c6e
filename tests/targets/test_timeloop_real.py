"""Random mappings on every packaged accelerator, evaluated by the real timeloop-model."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.helpers import default_sizes
from tests.helpers_published import FACTS
from tilegrad.accelerator import Accelerator, load_accelerator
from tilegrad.accelerator.library import packaged_accelerators
from tilegrad.cost import infer_hardware, layer_cost
from tilegrad.cost.nearest import nearest_fitting
from tilegrad.mapping import LoopNest
from tilegrad.mapping.sampling import Sampler
from tilegrad.nest import analyse
from tilegrad.shape import INPUTS
from tilegrad.targets.design import Design
from tilegrad.targets.timeloop.export import export_design
from tilegrad.targets.timeloop.runner import ModelRunner
from tilegrad.targets.timeloop.stats import Stats
from tilegrad.workload import Problem, read_layer_table

EACH = 5
"""Mappings of each layer."""

LOOPS = 10
"""Temporal loops above 1 that a mapping may have: Timeloop's time doubles with each."""

EXACT = 1e-6
LAYERS = (
    Problem("plain", (3, 3, 14, 14, 32, 64, 1)),
    Problem("strided", (7, 7, 16, 8, 3, 16, 2), (2, 2, 1, 1)),
    Problem("dilated", (3, 5, 12, 10, 16, 24, 2), (1, 2, 2, 1)),
    Problem("product", (1, 1, 64, 1, 256, 96, 1)),
    *read_layer_table(FACTS / "timeloop_shapes" / "layers.csv"),
)

needs_timeloop = pytest.mark.skipif(
    shutil.which("timeloop-model") is None, reason="timeloop-model is not on PATH"
)


def current(name: str) -> Accelerator:
    """Return a packaged accelerator, counted as the current Timeloop counts."""
    return replace(load_accelerator(name), counting="timeloop")


def random_design(name: str) -> Design:
    """Return a design of random mappings that fit, a few of each kind of layer."""
    accelerator = current(name)
    hardware = default_sizes(accelerator)
    source = torch.Generator().manual_seed(5)
    layers = []
    for problem in LAYERS:
        strides = torch.tensor(problem.strides, dtype=torch.float64)
        running = accelerator.running(problem.shape)
        drawn = Sampler(running, problem, hardware).draw(100 * EACH, source)
        few = ((drawn.temporal > 1).sum((-2, -1)) <= LOOPS).nonzero().flatten().tolist()
        assert len(few) >= EACH
        for row in few[:EACH]:
            fitting = nearest_fitting(drawn[row], strides, running, hardware)
            assert fitting is not None
            layers.append((problem, fitting.mapping))
    return Design(accelerator, hardware, tuple(layers))


def evaluated(design: Design, problem: Problem, mapping: LoopNest) -> tuple[float, float]:
    """Return this project's cycles and energy [uJ] of one mapping."""
    strides = torch.tensor(problem.strides, dtype=torch.float64)
    running = design.accelerator.running(problem.shape)
    nest = analyse(mapping.each(lambda part: part[None]), strides[None], running)
    fixed = {size: torch.tensor(value) for size, value in design.hardware.items()}
    hardware = infer_hardware(design.accelerator, nest, fixed)
    cost = layer_cost(nest, design.accelerator, hardware)
    return float(cost.cycles), float(cost.energy_pj) * 1e-6


def neighbours_may_pass_inputs(problem: Problem, mapping: LoopNest) -> bool:
    """Return whether instances side by side hold Inputs that a step later the next one needs.

    So where one dim of a sliding pair is spread and the other is stepped over further out or at
    the same level. Timeloop then lets the instances pass words on, which is not modelled here:
    the reads go from the parent to the children.
    """
    pairs = [axis.dims for axis in problem.shape.tensor(INPUTS) if len(axis.dims) > 1]
    for level in range(len(mapping.temporal)):
        spread = mapping.spatial[level].prod(0) > 1
        stepped = mapping.temporal[level:].prod(0) > 1
        if any((spread[a] and stepped[b]) or (spread[b] and stepped[a]) for a, b in pairs):
            return True
    return False


@needs_timeloop
@pytest.mark.timeloop
@pytest.mark.parametrize("name", packaged_accelerators())
def test_cycles_and_energy_are_timeloops(name: str, tmp_path: Path) -> None:
    design = random_design(name)
    directories = export_design(design, "0.3", tmp_path)
    workers = os.cpu_count() or 1
    found = ModelRunner("timeloop-model", 300, workers, tmp_path / "cache").run(directories)
    assert len(found) == EACH * len(LAYERS)
    equal = 0
    for (problem, mapping), theirs in zip(design.layers, found, strict=True):
        assert isinstance(theirs, Stats), theirs
        cycles, energy_uj = evaluated(design, problem, mapping)
        agrees = energy_uj == pytest.approx(theirs.energy_uj, rel=EXACT)
        agrees &= cycles == theirs.cycles
        equal += agrees
        if not agrees:
            assert neighbours_may_pass_inputs(problem, mapping)
            assert cycles >= theirs.cycles
    assert equal >= 0.9 * len(found)
