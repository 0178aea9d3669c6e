"""Analysis, costs and features on the device of their tensors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.devices.strict import ELSEWHERE, elsewhere
from tests.helpers import (
    counts,
    gemmini,
    generator,
    integer_mappings,
    plain,
    random_strides,
    relaxed_mappings,
    seeds,
)
from tests.helpers_slow import slow_but
from tilegrad.accelerator import Accelerator, load_accelerator
from tilegrad.cost import layer_cost
from tilegrad.cost.capacity import fits
from tilegrad.cost.footprint import cycles, energy_pj, footprint
from tilegrad.cost.hardware import area_mm2, least_hardware
from tilegrad.cost.latency import NEST_LATENCY, model_footprint
from tilegrad.mapping import LoopNest
from tilegrad.nest import analyse, layout, loops, sliding
from tilegrad.predictors.features import FEATURE_SETS

ROWS = 5
ACCELERATORS = {
    "gemmini": gemmini(),
    "gemmini-timeloop": gemmini("timeloop"),
    "plain": plain("timeloop"),
    **{name: load_accelerator(name) for name in ("simba", "eyeriss", "nvdla_large")},
}


@pytest.fixture(params=slow_but(ACCELERATORS, "gemmini", "eyeriss"))
def accelerator(request: pytest.FixtureRequest) -> Accelerator:
    return ACCELERATORS[request.param]


def drawn(accelerator: Accelerator, seed: int = 0) -> tuple[LoopNest, Tensor]:
    source = generator(seed)
    return integer_mappings(accelerator, ROWS, source), random_strides(ROWS, source)


def tensors(values: object) -> Iterator[Tensor]:
    """Yield the tensors within mappings, sequences and records."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, dict):
        for value in values.values():
            yield from tensors(value)
    elif isinstance(values, (list, tuple)):
        for value in values:
            yield from tensors(value)
    elif hasattr(values, "__dict__"):
        yield from tensors(vars(values))


def test_analysis_and_costs_stay_on_their_device_and_never_wait_for_it(
    accelerator: Accelerator,
) -> None:
    nests, strides = drawn(accelerator)
    with elsewhere() as move:
        sizes = {n: move(torch.empty(ROWS, device="cpu")) for n in accelerator.parameters}
        nest = analyse(nests.each(move), move(strides), accelerator)
        sums = footprint(nest, accelerator)
        needs = least_hardware(accelerator, sums.needs.unbind(-1), {}, exact=False).hardware
        found = [
            nest,
            layer_cost(nest, accelerator, sizes),
            sums,
            needs,
            energy_pj(sums, accelerator, needs),
            cycles(sums, accelerator, needs),
            fits(nest, accelerator, needs),
            area_mm2(accelerator, needs) if accelerator.parameters else [],
        ]
        devices = {tensor.device.type for tensor in tensors(found)}
    assert devices == {ELSEWHERE}


@pytest.mark.parametrize("name", ["raw", "analytical"])
def test_features_stay_on_their_device(name: str) -> None:
    accelerator, features = gemmini(), FEATURE_SETS[name]
    nests, strides = drawn(accelerator)
    with elsewhere() as move:
        own, there = nests.each(move), move(strides)
        sizes = {n: move(torch.empty(ROWS, device="cpu")) for n in accelerator.parameters}
        sums = model_footprint(NEST_LATENCY, own, own.bounds(), there, accelerator)
        context = features.context(own, own.bounds(), there, accelerator)
        columns = features.columns(sums, context, accelerator, sizes)
        assert columns.device.type == ELSEWHERE
        assert columns.shape == (ROWS, len(features.schema(accelerator)))


@given(st.sampled_from(list(ACCELERATORS)), seeds, st.booleans())
def test_what_is_not_looked_at_counts_the_same(name: str, seed: int, relaxed: bool) -> None:
    accelerator, source = ACCELERATORS[name], generator(seed)
    nests = (
        relaxed_mappings(accelerator, ROWS, source, 0.7)
        if relaxed
        else integer_mappings(accelerator, ROWS, source)
    )
    strides = random_strides(ROWS, source)
    looked = counts(analyse(nests, strides, accelerator))
    with pytest.MonkeyPatch.context() as patch:
        for module in (layout, loops, sliding):
            patch.setattr(module, "readable", lambda _: False)
        blind = counts(analyse(nests, strides, accelerator))
    for count, words in looked.items():
        one, other = torch.broadcast_tensors(words, blind[count])
        assert torch.equal(one, other), count
