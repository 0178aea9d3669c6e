"""The analysis against a literal walk of small nests, in both counting conventions."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers import STRIDE_CHOICES, plain
from tests.helpers_timeloop import SmallNest
from tilegrad.accelerator import COUNTINGS
from tilegrad.mapping import Mapping, unit_mapping
from tilegrad.nest import Accesses, analyse
from tilegrad.shape.conv import DIMS

LEVELS = 4

loops = st.tuples(st.integers(0, LEVELS - 1), st.integers(0, len(DIMS) - 1), st.integers(2, 3))
orders = st.lists(st.permutations(range(len(DIMS))), min_size=LEVELS, max_size=LEVELS)
strides = st.sampled_from(STRIDE_CHOICES)


@st.composite
def small_mappings(draw: st.DrawFn) -> Mapping:
    """Nests with four to eight temporal and at most two spatial loops of 2 or 3."""
    mapping = unit_mapping(LEVELS)
    for level, dim, bound in draw(
        st.lists(loops, min_size=4, max_size=8, unique_by=lambda loop: loop[:2])
    ):
        mapping.temporal[level, dim] = bound
    for level, dim, bound in draw(st.lists(loops, max_size=2, unique_by=lambda loop: loop[:2])):
        mapping.spatial[level, draw(st.integers(0, 1)), dim] = bound
    return Mapping(mapping.temporal, mapping.spatial, torch.tensor(draw(orders)))


def counted(mapping: Mapping, step: tuple[int, ...], counting: str) -> list[dict[str, Accesses]]:
    nest = analyse(mapping, torch.tensor(step, dtype=torch.float64), plain(counting))
    return list(nest.accesses)


def served_by(accesses: Accesses) -> tuple[float, float]:
    return accesses.reads.item(), accesses.updates.item()


@pytest.mark.parametrize("counting", COUNTINGS)
@settings(deadline=None, max_examples=100)
@given(mapping=small_mappings(), step=strides)
def test_inputs_follow_the_state_machine(
    counting: str, mapping: Mapping, step: tuple[int, ...]
) -> None:
    oracle = SmallNest(mapping, step)
    accelerator = plain(counting)
    for level, kept in enumerate(counted(mapping, step, counting)):
        if "Inputs" not in kept:
            continue
        child = accelerator.kept_below(level, "Inputs")
        steps = int(mapping.temporal.prod().item())
        fetched = oracle.inputs_fills(child, counting) if child >= 0 else steps
        assert kept["Inputs"].reads == fetched * oracle.distinct_inputs(child, level)
        assert kept["Inputs"].tile == len(oracle.tile(level, "Inputs"))
        outermost = level == LEVELS - 1
        assert kept["Inputs"].fills == (0 if outermost else oracle.inputs_fills(level, counting))


@pytest.mark.parametrize("counting", COUNTINGS)
@settings(deadline=None, max_examples=60)
@given(mapping=small_mappings(), step=strides)
def test_weights_and_outputs_follow_a_walk_of_every_iteration(
    counting: str, mapping: Mapping, step: tuple[int, ...]
) -> None:
    oracle = SmallNest(mapping, step)
    accelerator = plain(counting)
    accesses = counted(mapping, step, counting)
    for level, kept in enumerate(accesses):
        for tensor in set(kept) - {"Inputs"}:
            child = accelerator.kept_below(level, tensor)
            walk = oracle.walk(level, child, tensor)
            assert kept[tensor].tile == len(oracle.tile(level, tensor))
            if child >= 0:
                first = counting == "timeloop-2022" or tensor == "Weights"
                assert accesses[child][tensor].fills == (walk.moved if first else walk.back)
            if tensor == "Weights":
                assert served_by(kept[tensor]) == (walk.served, 0)
            else:
                assert served_by(kept[tensor]) == (walk.again, walk.served)
        if level == LEVELS - 1:
            assert kept["Weights"].fills == 0
