"""Inferred hardware against an enumeration of all whole sizes, for sizes of every making."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings

from tests.helpers import generator, random_orders, seeds
from tests.helpers_literal import holding
from tests.search.templates import template
from tilegrad.accelerator import Accelerator
from tilegrad.cost import infer_hardware
from tilegrad.cost.capacity import find_overflows
from tilegrad.mapping import LoopNest, unit_mapping
from tilegrad.nest import analyse
from tilegrad.shape.conv import CONV

STRIDES = (2, 1, 1, 1)
LAYERS = 2

CASES: dict[str, tuple[Accelerator, dict[str, float], tuple[str, ...]]] = {
    "own": (
        template("accumulator_kb", "scratchpad_kb", down="other"),
        {},
        ("pe_dim", "other", "accumulator_kb", "scratchpad_kb"),
    ),
    "shared": (
        template("scratchpad_kb", "scratchpad_kb"),
        {"accumulator_kb": 1, "other": 1},
        ("pe_dim", "scratchpad_kb"),
    ),
    "derived": (
        template("scratchpad_kb / 4", "scratchpad_kb"),
        {"accumulator_kb": 1, "other": 1},
        ("pe_dim", "scratchpad_kb"),
    ),
    "left over": (
        template("scratchpad_kb + accumulator_kb", "scratchpad_kb"),
        {"other": 1},
        ("pe_dim", "scratchpad_kb", "accumulator_kb"),
    ),
    "product": (
        template("accumulator_kb * other", "scratchpad_kb", down="other"),
        {},
        ("pe_dim", "other", "accumulator_kb", "scratchpad_kb"),
    ),
    "product with a fixed factor": (
        template("accumulator_kb", "scratchpad_kb * other"),
        {"other": 3},
        ("pe_dim", "accumulator_kb", "scratchpad_kb"),
    ),
    "of each instance": (
        template("accumulator_kb * pe_dim", "scratchpad_kb"),
        {"other": 1},
        ("pe_dim", "accumulator_kb", "scratchpad_kb"),
    ),
    "divided": (
        template("accumulator_kb", "scratchpad_kb / 3"),
        {"other": 1, "accumulator_kb": 12},
        ("pe_dim", "scratchpad_kb"),
    ),
    "a mesh that is a size too": (
        template("accumulator_kb", "pe_dim / 2"),
        {"other": 1, "scratchpad_kb": 1},
        ("pe_dim", "accumulator_kb"),
    ),
    "meshes of derived widths": (
        template("accumulator_kb", "scratchpad_kb", across="2 * pe_dim", down="pe_dim * other"),
        {},
        ("pe_dim", "other", "accumulator_kb", "scratchpad_kb"),
    ),
    "powers": (
        template("accumulator_kb ** 2", "2 ** scratchpad_kb", across="other ** 2", down="other"),
        {"pe_dim": 2},
        ("other", "accumulator_kb", "scratchpad_kb"),
    ),
}
"""Template, fixed sizes, and the free ones in the order in which they are told."""

MOST = {2: 64, 3: 64, 4: 24}
"""Sizes looked at, by how many of them are free."""


def random_nest(seed: int) -> LoopNest:
    """Return one small mapping per layer, ``[layer, level, dim]``."""
    source = generator(seed)
    nest = unit_mapping(4).each(lambda tensor: tensor.expand(LAYERS, *tensor.shape).clone())
    letters = CONV.dims.index
    for layer in range(LAYERS):
        draw = torch.randint(1, 4, (8,), generator=source).tolist()
        nest.spatial[layer, 1, 0, letters("C")] = draw[0]
        nest.spatial[layer, 2, 0, letters("K")] = draw[1]
        for place, name in enumerate("RPQK"):
            nest.temporal[layer, 1, letters(name)] = min(draw[2 + place], 2)
        nest.temporal[layer, 3, letters("N")] = draw[6]
    return LoopNest(nest.temporal, nest.spatial, random_orders((LAYERS, 4), source))


def enumerated(nest: LoopNest, case: str) -> dict[str, float]:
    """Return the first sizes, each in its turn as small as any, that a walk of the loops fits."""
    accelerator, fixed, free = CASES[case]
    least = [accelerator.parameters[name].minimum for name in free]
    every = torch.meshgrid(
        *(torch.arange(low, MOST[len(free)] + 1, dtype=torch.float64) for low in least),
        indexing="ij",
    )
    hardware: dict[str, Any] = {**fixed, **dict(zip(free, every, strict=True))}
    fits = torch.ones_like(every[0], dtype=torch.bool)
    for layer in range(LAYERS):
        fits &= holding(nest[layer], STRIDES, accelerator, hardware)
    first = fits.nonzero()[0].tolist()
    found = {n: float(grid[tuple(first)]) for n, grid in zip(free, every, strict=True)}
    return {**fixed, **found}


@pytest.mark.parametrize("case", CASES)
@settings(deadline=None, max_examples=8)
@given(seed=seeds)
def test_inferred_is_the_first_that_fits_of_all_whole_sizes(case: str, seed: int) -> None:
    accelerator, fixed, _ = CASES[case]
    nest = random_nest(seed)
    counts = analyse(nest, torch.tensor(STRIDES, dtype=torch.float64), accelerator)
    found = {name: float(size) for name, size in infer_hardware(accelerator, counts, fixed).items()}
    assert not find_overflows(counts, accelerator, found)
    assert found == enumerated(nest, case)


@pytest.mark.parametrize("case", CASES)
@settings(deadline=None, max_examples=8)
@given(seed=seeds)
def test_relaxed_hardware_has_the_gradient_of_finite_differences(case: str, seed: int) -> None:
    accelerator, fixed, free = CASES[case]
    nest, source = random_nest(seed), generator(seed + 1)
    strides = torch.tensor(STRIDES, dtype=torch.float64)
    # Off the integers, where two needs may tie and have a gradient on each side.
    shift = 0.1 + 0.8 * torch.rand(2, LAYERS, 4, 2, 7, generator=source, dtype=torch.float64)
    channels = [CONV.dims.index("C"), CONV.dims.index("K")]

    def sizes(along: torch.Tensor) -> torch.Tensor:
        temporal = nest.temporal + shift[0, :, :, 0] * along
        spatial = nest.spatial.double()
        for level, dim in zip((1, 2), channels, strict=True):
            grown = spatial[:, level, 0, dim] + shift[1, :, level, 0, dim] * along
            spatial = spatial.index_put(
                (torch.arange(LAYERS), torch.tensor(level), torch.tensor(0), torch.tensor(dim)),
                grown,
            )
        made = analyse(LoopNest(temporal, spatial, nest.order), strides, accelerator)
        hardware = infer_hardware(accelerator, made, fixed, exact=False)
        return torch.stack([hardware[name].double() for name in free])

    here = torch.tensor(1.0, dtype=torch.float64)
    gradient = torch.autograd.functional.jacobian(sizes, here)
    step = 1e-6
    difference = (sizes(here + step) - sizes(here - step)) / (2 * step)
    assert torch.allclose(gradient, difference, rtol=1e-5, atol=1e-6)
