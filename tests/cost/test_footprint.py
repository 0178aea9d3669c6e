"""The footprint's price is the layer's cost but for the rounding to whole blocks and cycles."""

from __future__ import annotations

import torch
from hypothesis import given, settings

from tests.helpers import gemmini, generator, integer_mappings, random_strides, seeds
from tilegrad.accelerator import ACCESSES
from tilegrad.cost import layer_cost
from tilegrad.cost.footprint import concatenate_footprints, cycles, energy_pj, footprint
from tilegrad.nest import Nest, analyse

ROWS = 20
HARDWARE = {"pe_dim": 16.0, "scratchpad_kb": 64.0, "accumulator_kb": 32.0}


def random_nests(seed: int) -> Nest:
    source = generator(seed)
    mapping = integer_mappings(gemmini(), ROWS, source)
    return analyse(mapping, random_strides(ROWS, source), gemmini())


@settings(deadline=None, max_examples=25)
@given(seed=seeds)
def test_energy_is_less_by_at_most_one_block_per_kind_of_access(seed: int) -> None:
    nest = random_nests(seed)
    exact = layer_cost(nest, gemmini(), HARDWARE).energy_pj
    excess = exact - energy_pj(footprint(nest, gemmini()), gemmini(), HARDWARE)
    bound = torch.zeros(ROWS, dtype=torch.float64)
    for index, level in enumerate(gemmini().levels):
        block = level.block(HARDWARE)
        for access, pj in gemmini().access_pj(level, HARDWARE).items():
            for kept in nest.accesses[index].values():
                blocks = (getattr(kept, access) > 0) * nest.instances[index]
                bound = bound + blocks * pj * (block if block > 1 else 0)
    rounding = 1e-12 * exact
    assert (excess >= -rounding).all()
    assert (excess <= bound + rounding).all()


@settings(deadline=None, max_examples=25)
@given(seed=seeds)
def test_latency_is_less_by_less_than_a_cycle(seed: int) -> None:
    nest = random_nests(seed)
    exact = layer_cost(nest, gemmini(), HARDWARE).cycles
    excess = exact - cycles(footprint(nest, gemmini()), gemmini(), HARDWARE)
    rounding = 1e-12 * exact
    assert (excess >= -rounding).all()
    assert (excess < 1 + rounding).all()


def test_parts_add_up_and_the_slowest_binds() -> None:
    found = layer_cost(random_nests(3), gemmini(), HARDWARE)
    assert torch.allclose(found.energy_by_part_pj.sum(-1), found.energy_pj, rtol=1e-14)
    assert torch.equal(found.cycles_by_part.amax(-1), found.cycles)


def test_footprints_index_and_concatenate() -> None:
    sums = footprint(random_nests(4), gemmini())
    again = concatenate_footprints([sums[:7], sums[torch.arange(7, ROWS)]])
    for name, value in vars(sums).items():
        assert torch.equal(getattr(again, name), value)
    assert sums.energy_words.shape[-1] == 1 + len(gemmini().levels) * len(ACCESSES)
