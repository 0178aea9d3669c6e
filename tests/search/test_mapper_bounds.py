"""Bounds of partial mappings on random tiny layers: no completion costs less than they say."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
import torch

from tests.search.brute_force import every_mapping
from tests.search.test_mapper import MACHINES, WIDTH, layer, packaged, priced, tight, unpriced
from tilegrad.accelerator import Accelerator
from tilegrad.search.exact.mapper import stages as kernels
from tilegrad.search.exact.mapper.columns import BOUND, PARENT
from tilegrad.search.exact.mapper.mapper import LayerMapper, _Run

PRICES = (0.0, 50.0, 3000.0)
"""Of a cycle [pJ]."""

KNOWN = (inf, 1.5, 1.0000001)
"""Costs known of before, as multiples of the optimum's."""

CUT = {**MACHINES, "nvdla_small": MACHINES["nvdla_large"]}
"""Machines whose levels' words are drawn anew, but for the outermost (0)."""

MORE = [
    pytest.param(seed, marks=pytest.mark.slow if seed < 108 else pytest.mark.exhaustive)
    for seed in range(100, 140)
]
"""Seeds of further layers."""

ENUMERATED = [
    pytest.param(seed, marks=pytest.mark.slow if seed < 103 else pytest.mark.exhaustive)
    for seed in range(100, 120)
]
"""Seeds of layers whose mappings are all enumerated."""

HARDWARE = {"pe_dim": float(WIDTH)}
"""What Gemmini's ports ask for."""


def drawn(name: str, seed: int) -> Accelerator:
    """Return a packaged accelerator that holds a random number of words at each level."""
    source = torch.Generator().manual_seed(seed)
    whole = packaged(name)
    words = []
    for room, level in zip(CUT[name], whole.levels, strict=True):
        more = int(torch.randint(0, 14, (1,), generator=source))
        words.append(len(level.keeps) + more if room else 0)
    return tight(whole, tuple(words))


def rises(run: _Run) -> float:
    """Return by how much a bound lies above the best completion at most, as a share of it."""
    stages = run._stages()
    assert stages is not None
    last, mapper, rules = stages[-1], run.mapper, run.rules
    found, _ = kernels.finish(
        last.values, last.places, len(rules.keeps) - 1, mapper.space, mapper.order, run.facts,
        rules.widths, run.price,
    )  # fmt: skip
    worst, least = -inf, found[:, 0]
    for number in reversed(range(len(stages))):
        stage = stages[number]
        over = (stage.values[:, BOUND] - least)[np.isfinite(least)] / least.min()
        worst = max(worst, float(over.max()))
        if number:
            before = np.full(len(stages[number - 1].values), inf)
            np.minimum.at(before, stage.places[:, PARENT], least)
            least = before
    return worst


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("seed", [*range(48, 52), *MORE])
def test_no_completion_costs_less_than_a_partial_mapping_is_said_to(name: str, seed: int) -> None:
    """At every stage, with ports on inner levels and without."""
    machine = drawn(name, seed) if seed % 4 < 2 else unpriced(drawn(name, seed))
    mapper = LayerMapper(machine, layer(seed, 6), HARDWARE)
    for price in PRICES:
        for shared in mapper._modes:
            assert rises(_Run(mapper, shared, price, inf, None)) <= 1e-9


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("seed", ENUMERATED)
def test_the_optimum_is_found_however_close_what_is_known_lies(name: str, seed: int) -> None:
    machine, problem = unpriced(drawn(name, seed)), layer(seed, 3)
    every, mapper = every_mapping(problem, machine, WIDTH), LayerMapper(machine, problem, {})
    for price in PRICES:
        least = float(priced(every, problem, machine, price)[2].min())
        for times in KNOWN:
            found = mapper.best(price, least * times)
            assert found.nest is not None
            assert found.bound == pytest.approx(least, rel=1e-9)


@pytest.mark.parametrize("seed", ENUMERATED)
def test_words_at_inner_ports_never_raise_the_bound_above_the_optimum(seed: int) -> None:
    machine, problem = drawn("eyeriss", seed), layer(seed, 3)
    every, mapper = every_mapping(problem, machine, WIDTH), LayerMapper(machine, problem, {})
    for price in PRICES:
        least = float(priced(every, problem, machine, price)[2].min())
        for times in KNOWN:
            assert mapper.best(price, least * times).bound <= least * (1 + 1e-9)
