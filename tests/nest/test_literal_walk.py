"""The analysis of any problem on any levels against a literal walk, in both conventions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers import plain
from tests.helpers_shapes import Case, cases, drawn_shapes, mappings, numbers, packaged
from tests.helpers_timeloop import SmallNest
from tilegrad.accelerator import COUNTINGS
from tilegrad.nest import Nest, analyse
from tilegrad.shape import OUTPUTS, ROLES

ARITHMETIC = -1

Counts = dict[str, float]
"""Words by level, tensor and kind of access."""


def counted(case: Case) -> Nest:
    strides = torch.tensor(case.strides, dtype=torch.float64)
    return analyse(case.mapping, strides, case.accelerator)


def found(nest: Nest) -> Counts:
    return {
        f"L{level} {tensor} {kind}": words.item()
        for level, kept in enumerate(nest.accesses)
        for tensor, accesses in kept.items()
        for kind, words in vars(accesses).items()
    }


def machine(case: Case, oracle: SmallNest) -> Counts:
    """Return what each operand's tiles and moves are by the state machine, step by step."""
    expected = {}
    for level, child, tensor in _kept(case):
        if tensor == OUTPUTS:
            continue
        taken = (
            _steps(case)
            if child == ARITHMETIC
            else oracle.fills(child, tensor, case.accelerator.counting)
        )
        outermost = level == len(case.accelerator.levels) - 1
        fills = 0 if outermost else oracle.fills(level, tensor, case.accelerator.counting)
        expected |= {
            f"L{level} {tensor} tile": len(oracle.tile(level, tensor)),
            f"L{level} {tensor} reads": taken * oracle.distinct(child, level, tensor),
            f"L{level} {tensor} fills": fills,
            f"L{level} {tensor} updates": 0,
        }
    return expected


def walked(case: Case, oracle: SmallNest) -> Counts:
    """Return what a walk of every iteration and instance counts of the tensors without a halo."""
    expected: Counts = {}
    still = [tensor for tensor in ROLES if not _slides(case, tensor)]
    for level, child, tensor in _kept(case):
        if tensor not in still:
            continue
        walk = oracle.walk(level, child, tensor)
        reads, updates = walk.served, 0
        if tensor == OUTPUTS:
            reads, updates = walk.again, walk.served
        expected |= {
            f"L{level} {tensor} tile": len(oracle.tile(level, tensor)),
            f"L{level} {tensor} reads": reads,
            f"L{level} {tensor} updates": updates,
        }
        if child != ARITHMETIC:
            first = tensor != OUTPUTS or case.accelerator.counting == "timeloop-2022"
            expected[f"L{child} {tensor} fills"] = walk.moved if first else walk.back
    return expected


def _kept(case: Case) -> Iterator[tuple[int, int, str]]:
    """Yield each level and tensor kept there, with the next level inwards that keeps it."""
    for tensor in ROLES:
        child = ARITHMETIC
        for level, described in enumerate(case.accelerator.levels):
            if tensor in described.keeps:
                yield level, child, tensor
                child = level


def _slides(case: Case, tensor: str) -> bool:
    """Return whether tiles of a tensor may overlap or lie apart."""
    axes = case.accelerator.shape.axes[ROLES.index(tensor)]
    return any(len(axis.terms) > 1 or axis.terms[0].coefficient != 1 for axis in axes)


def _steps(case: Case) -> int:
    return prod(int(bound) for bound in case.mapping.temporal.flatten())


def assert_walked(case: Case) -> None:
    nest = counted(case)
    counts = found(nest)
    oracle = SmallNest(case.mapping, case.strides, case.accelerator.shape)
    spread = [prod(int(factor) for factor in level.flatten()) for level in case.mapping.spatial]
    for expected in (machine(case, oracle), walked(case, oracle)):
        assert {name: counts[name] for name in expected} == expected
    assert nest.steps == _steps(case)
    assert nest.macs == _steps(case) * prod(spread)
    assert [int(many) for many in nest.instances] == [
        prod(spread[level + 1 :]) for level in range(len(spread))
    ]


def conv_cases(counting: str) -> st.SearchStrategy[Case]:
    """Convolutions on four levels with bypasses."""
    accelerator = plain(counting)
    levels, dims = len(accelerator.levels), len(accelerator.shape.dims)
    return st.builds(Case, st.just(accelerator), st.tuples(*[numbers] * 4), mappings(levels, dims))


KINDS: dict[str, Callable[[str], st.SearchStrategy[Case]]] = {
    "conv": conv_cases,
    "packaged": lambda counting: cases(packaged, counting),
    "drawn": lambda counting: cases(drawn_shapes(), counting),
}


@pytest.mark.parametrize("counting", COUNTINGS)
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_counts_are_those_of_a_walk(kind: str, counting: str, data: st.DataObject) -> None:
    assert_walked(data.draw(KINDS[kind](counting)))


@pytest.mark.exhaustive
@pytest.mark.parametrize("counting", COUNTINGS)
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_counts_are_those_of_a_walk_in_thousands(
    kind: str, counting: str, data: st.DataObject
) -> None:
    assert_walked(data.draw(KINDS[kind](counting)))
