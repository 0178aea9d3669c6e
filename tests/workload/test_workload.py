"""Workload: merging of equal layers and the stacked tensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import FrozenInstanceError

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tilegrad.workload import Problem, Workload, merge_equal_layers

layers = st.lists(
    st.builds(
        Problem,
        st.sampled_from("abcd"),
        st.tuples(*[st.integers(1, 2)] * 2, *[st.just(1)] * 5),
        st.tuples(st.integers(1, 2), *[st.just(1)] * 3),
        st.integers(1, 4),
    ),
    min_size=1,
)


@given(layers)
def test_merging_keeps_counts_first_names_and_order(given_layers: list[Problem]) -> None:
    counts: Counter[tuple[tuple[int, ...], tuple[int, ...]]] = Counter()
    names: dict[tuple[tuple[int, ...], tuple[int, ...]], str] = {}
    for layer in given_layers:
        counts[layer.bounds, layer.strides] += layer.count
        names.setdefault((layer.bounds, layer.strides), layer.name)
    merged = merge_equal_layers(given_layers)
    found = [((layer.bounds, layer.strides), layer.name) for layer in merged]
    assert found == list(names.items())
    assert all(counts[layer.bounds, layer.strides] == layer.count for layer in merged)
    assert merge_equal_layers(merged) == merged


def test_equal_layers_merge_at_construction() -> None:
    one, two = Problem("one", (3, 3, 8, 8, 4, 16, 1)), Problem("two", (1, 1, 8, 8, 4, 16, 1))
    again = Problem("again", one.bounds, one.strides, count=4)
    workload = Workload("net", (one, two, again))
    assert len(workload) == 2
    assert [(layer.name, layer.count) for layer in workload] == [("one", 5), ("two", 1)]
    assert [layer.also for layer in workload] == [("again",), ()]
    assert Workload("net", (*workload, one)).layers[0].also == ("again",)


def test_one_name_for_two_shapes_is_refused(refused: Callable[..., None]) -> None:
    one, two = Problem("one", (3, 3, 8, 8, 4, 16, 1)), Problem("one", (1, 1, 8, 8, 4, 16, 1))
    refused(lambda: Workload("net", (one, two)), "'net'", "'one'", "a name of its own")


def test_tensors_stack_the_layers() -> None:
    first = Problem("a", (3, 3, 8, 9, 4, 16, 2), (2, 1, 1, 3), count=5)
    second = Problem("b", (1, 1, 7, 7, 2**53, 1, 1))
    workload = Workload("net", (first, second))
    assert workload.bounds.tolist() == [list(first.bounds), list(second.bounds)]
    assert workload.strides.tolist() == [[2, 1, 1, 3], [1, 1, 1, 1]]
    assert workload.counts.tolist() == [5, 1]
    for tensor in (workload.bounds, workload.strides, workload.counts):
        assert tensor.dtype == torch.float64
    assert workload.bounds is workload.bounds


def test_an_empty_workload_is_refused(refused: Callable[..., None]) -> None:
    refused(lambda: Workload("net", ()), "workload 'net' has no layers")


def test_a_workload_is_frozen() -> None:
    workload = Workload("net", (Problem("a", (1,) * 7),))
    with pytest.raises(FrozenInstanceError):
        workload.name = "other"  # type: ignore[misc]
