"""Where a descent may begin: CoSA's mappings of all layers on a few hardware points."""

from __future__ import annotations

import torch
from jaxtyping import Float64
from torch import Tensor

from tilegrad.cost.hardware import Hardware
from tilegrad.search.budget import Budget
from tilegrad.search.cosa.mapper import CosaMapper, Effort
from tilegrad.search.cosa.program import Weights
from tilegrad.search.points import stacked
from tilegrad.search.problem import SearchProblem
from tilegrad.search.state import generator
from tilegrad.search.two_loop.latin import latin_hypercube
from tilegrad.search.two_loop.sizes import Sizes

POINTS = 4
"""Hardware points that all layers are mapped on, where sizes are free."""

MAPPER = CosaMapper((Weights(),), (0.5,), Effort(20_000, None))


def cosa_starts(
    problem: SearchProblem, seed: int, budget: Budget
) -> Float64[Tensor, "start layer slot"]:
    """Return the logarithms of CoSA's factors, one start for each hardware point.

    The template's own sizes first, if it has some within the limits, then points spread over the
    free sizes. A layer without a mapping there begins with all loops in DRAM. Time may run out.
    """
    hardware = _points(problem, seed)
    most = max(len(table.space.slots) for table in problem.tables)
    count = max((len(size) for size in hardware.values()), default=1)
    starts = torch.zeros(count, len(problem.tables), most, dtype=torch.float64)
    for point in range(count):
        sizes = {name: float(size[point]) for name, size in hardware.items()}
        for layer, table in enumerate(problem.tables):
            factors, _ = MAPPER.map(table, sizes, budget)
            for found in factors:
                starts[point, layer, : len(found)] = found.log()
    return starts


def _points(problem: SearchProblem, seed: int) -> Hardware:
    sizes, own = Sizes.of(problem), problem.hardware.own
    first = [] if own is None else [own]
    if not len(sizes):
        return stacked([own]) if own else {}
    shares = latin_hypercube(POINTS - len(first), len(sizes), generator(seed, POINTS))
    spread = sizes.hardware(shares)
    return {
        name: torch.cat([torch.tensor([float(each[name]) for each in first]).double(), values])
        for name, values in spread.items()
    }
