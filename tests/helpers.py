"""Shared generators: accelerators, layers and mappings for tests of nest, cost and mapping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator, build_accelerator, load_accelerator
from tilegrad.mapping import LoopNest, unit_mapping
from tilegrad.nest import Nest
from tilegrad.shape.conv import DIMS
from tilegrad.workload import Problem

STRIDE_CHOICES = ((1, 1, 1, 1), (2, 2, 1, 1), (1, 2, 2, 1), (2, 1, 1, 3))
"""Wstride, Hstride, Wdilation, Hdilation: plain, strided, dilated and uneven layers."""

seeds = st.integers(0, 2**32 - 1)


def describe(keeps: Sequence[Sequence[str]], counting: str, **changes: Any) -> dict[str, Any]:
    """Return the description of a plain accelerator: ``keeps`` per level, innermost first."""
    levels = [
        {
            "name": f"level{index}",
            "kind": "sram",
            "keeps": list(kept),
            "loops": "all",
            "word_bits": 8,
        }
        for index, kept in enumerate(keeps)
    ]
    described = {
        "name": "plain",
        "counting": counting,
        "energy": "pat",
        "arithmetic": {"energy_pj": 1.0},
        "parameters": {},
        "levels": levels,
    }
    return {**described, **changes}


@cache
def plain(counting: str) -> Accelerator:
    """Return four levels with bypasses, loops over any dim everywhere, and spatial loops."""
    keeps = [["Weights"], ["Outputs", "Inputs"], ["Weights", "Inputs"]]
    described = describe([*keeps, ["Weights", "Inputs", "Outputs"]], counting)
    for level, axis, dims in ((1, "X", "CRP"), (1, "Y", "KQ"), (2, "X", "NQS"), (3, "Y", "PK")):
        fanout = described["levels"][level].setdefault("fanout", {})
        fanout[axis] = {"dims": list(dims), "width": 16}
    return build_accelerator(**described)


@cache
def gemmini(counting: str = "timeloop-2022") -> Accelerator:
    """Return the packaged accelerator, in either counting convention."""
    accelerator = load_accelerator("gemmini")
    return Accelerator(**{**accelerator.__dict__, "counting": counting})


def generator(seed: int) -> torch.Generator:
    """Return a seeded source of random numbers."""
    return torch.Generator().manual_seed(seed)


def random_orders(shape: tuple[int, ...], source: torch.Generator) -> Tensor:
    """Return random permutations of the dims, ``[*shape, 7]``."""
    return torch.rand(*shape, len(DIMS), generator=source).argsort(-1)


def random_strides(rows: int, source: torch.Generator) -> Tensor:
    """Return strides ``[rows, 4]`` of random layers."""
    choices = torch.tensor(STRIDE_CHOICES, dtype=torch.float64)
    return choices[torch.randint(len(choices), (rows,), generator=source)]


def free_factors(accelerator: Accelerator) -> tuple[Tensor, Tensor]:
    """Return where loops may lie: temporal ``[level, dim]``, spatial ``[level, axis, dim]``."""
    unit = unit_mapping(len(accelerator.levels))
    temporal, spatial = torch.zeros_like(unit.temporal), torch.zeros_like(unit.spatial)
    for index, level in enumerate(accelerator.levels):
        temporal[index, list(level.loops)] = 1
        for axis, fanout in level.fanout.items():
            spatial[index, AXES.index(axis), list(fanout.dims)] = 1
    return temporal.bool(), spatial.bool()


def integer_mappings(accelerator: Accelerator, rows: int, source: torch.Generator) -> LoopNest:
    """Return random integer mappings ``[rows]``: each factor 1 (half of them) to 4."""
    choices = torch.tensor([1, 1, 1, 2, 3, 4], dtype=torch.float64)
    return _random_mappings(
        accelerator,
        rows,
        source,
        lambda shape: choices[torch.randint(len(choices), shape, generator=source)],
    )


def relaxed_mappings(
    accelerator: Accelerator, rows: int, source: torch.Generator, absent: float
) -> LoopNest:
    """Return random relaxed mappings ``[rows]``, off the kinks that a loop has at 1 and 2.

    A share ``absent`` of all factors is 1, as in a layer without the loop.
    """

    def draw(shape: tuple[int, ...]) -> Tensor:
        fraction = torch.rand(shape, generator=source, dtype=torch.float64)
        below, above = 1.05 + 0.9 * fraction, 2.05 + 3 * fraction
        factors = torch.where(torch.rand(shape, generator=source) < 0.5, below, above)
        gone = torch.rand(shape, generator=source) < absent
        return torch.where(gone, torch.ones_like(factors), factors)

    return _random_mappings(accelerator, rows, source, draw)


def _random_mappings(
    accelerator: Accelerator,
    rows: int,
    source: torch.Generator,
    draw: Callable[[tuple[int, ...]], Tensor],
) -> LoopNest:
    temporal, spatial = free_factors(accelerator)
    one = torch.ones((), dtype=torch.float64)
    return LoopNest(
        torch.where(temporal, draw((rows, *temporal.shape)), one),
        torch.where(spatial, draw((rows, *spatial.shape)), one),
        random_orders((rows, len(accelerator.levels)), source),
    )


def counts(nest: Nest) -> dict[str, Tensor]:
    """Return every count of a nest by name, so that a failure names the one that is off."""
    named = {"steps": nest.steps, "macs": nest.macs}
    for level, kept in enumerate(nest.accesses):
        named[f"L{level} instances"] = nest.instances[level]
        named |= {f"L{level} axis {axis}": x for axis, x in enumerate(nest.spatial[level])}
        for tensor, accesses in kept.items():
            named |= {f"L{level} {tensor} {k}": words for k, words in vars(accesses).items()}
    return named


def is_product(problem: Problem) -> bool:
    """Tell whether exported programs run a layer as a matrix product."""
    r, s, p, q, *_ = problem.bounds
    wide, high, *_ = problem.strides
    apart = (p > 1 and wide > 1) or (q > 1 and high > 1)
    return r == s == 1 and not apart


def default_sizes(accelerator: Accelerator) -> dict[str, float]:
    """Return the template's own size of every parameter."""
    return {name: float(each.default or 1) for name, each in accelerator.parameters.items()}
