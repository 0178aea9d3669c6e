"""Which layer of a design does not fit the hardware allowed, for errors to name."""

from __future__ import annotations

import torch

from tilegrad.cost.capacity import find_overflows
from tilegrad.cost.hardware import infer_hardware
from tilegrad.mapping import LoopNest
from tilegrad.nest import analyse_layers
from tilegrad.search.problem import SearchProblem


def misfit(nests: LoopNest, problem: SearchProblem) -> str:
    """Return a layer of a design ``[layer]`` that does not fit, what it needs and what there is.

    The hardware is what is fixed, else what the design needs up to the caps. Empty where every
    layer fits by itself.
    """
    accelerator, space = problem.accelerator, problem.hardware
    nest = analyse_layers(nests, problem.workload.stacks, accelerator)
    needed = infer_hardware(accelerator, nest, space.fixed)
    hardware = {
        name: min(float(torch.as_tensor(value)), space.limit(name))
        for name, value in needed.items()
    }
    for layer, overflows in sorted(find_overflows(nest, accelerator, hardware).items()):
        return f"layer {problem.workload.layers[layer].name!r}: {'; '.join(map(str, overflows))}"
    return ""
