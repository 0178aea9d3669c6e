"""Layers mapped anew on hardware without free sizes, by partial mappings.

There polishing has one hardware point and follows one mapping per layer, whose blocks of dims are
too few of deep hierarchies. The exact mapper's partial mappings are many at once.
"""

from __future__ import annotations

import torch

from tilegrad.errors import ConfigError
from tilegrad.mapping import LoopNest, stack
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import SearchState

MOST = 1000
"""Partial mappings that are kept at each boundary between levels."""

REMAPPED = 2
"""How often each layer is mapped anew: a cycle's price follows from all of them."""


def remappable(problem: SearchProblem) -> bool:
    """Return whether no size is free and the nest tells the latency."""
    return problem.hardware.settled and problem.learned is None


def remap(problem: SearchProblem, state: SearchState, layer: int) -> None:
    """Offer the best design with one layer mapped anew, if that is better where the design stands.

    Layers that the mapper does not take stay as they are.
    """
    from tilegrad.search.exact.mapper.mapper import LayerMapper

    assert state.best is not None
    cost, _ = problem.evaluate(state.best.alone())
    network = int(problem.goal.network[layer])
    totals = (problem.goal.totals(cost.layers.energy_pj), problem.goal.totals(cost.layers.cycles))
    for_energy, for_latency = problem.goal.costs(*totals)
    price = float(for_latency[0, network] / for_energy[0, network])
    known = float(cost.layers.energy_pj[0, layer]) + price * float(cost.layers.cycles[0, layer])
    try:
        mapper = LayerMapper(
            problem.accelerator, problem.workload.layers[layer], problem.hardware.fixed
        )
        found = mapper.best(price, known, MOST).nest
    except ConfigError:
        return
    if found is not None:
        state.offer(_with(state.best, layer, found), problem)


def _with(design: LoopNest, layer: int, nest: LoopNest) -> LoopNest:
    """Return a design ``[1, layer]`` with another mapping of one layer."""
    layers = [design[torch.tensor(at)] for at in range(len(design.temporal))]
    layers[layer] = nest
    return stack(layers).alone()
