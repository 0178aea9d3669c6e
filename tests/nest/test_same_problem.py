"""One problem written as different shapes has one count of everything."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers import counts
from tests.helpers_shapes import accelerators, mappings, numbers
from tilegrad.accelerator import Accelerator
from tilegrad.mapping import LoopNest, unit_mapping
from tilegrad.nest import Nest, analyse
from tilegrad.shape import Shape, load_shape
from tilegrad.shape.conv import CONV, GROUPED


def as_dims(nest: LoopNest, old: Shape, new: Shape) -> LoopNest:
    """Return a nest over ``new``'s dims with the loops of a nest over ``old``'s; others are 1."""
    assert set(old.dims) <= set(new.dims)
    places = [new.dims.index(dim) for dim in old.dims]
    others = [place for place in range(len(new.dims)) if place not in places]
    levels = nest.temporal.shape[0]
    wider = unit_mapping(levels, count=len(new.dims))
    wider.temporal[:, places] = nest.temporal
    wider.spatial[:, :, places] = nest.spatial
    order = torch.cat(
        [torch.tensor(others).expand(levels, -1), torch.tensor(places)[nest.order]], 1
    )
    return LoopNest(wider.temporal, wider.spatial, order.long())


def analysed(accelerator: Accelerator, shape: Shape, nest: LoopNest, *strides: int) -> Nest:
    steps = torch.tensor(strides or shape.defaults, dtype=torch.float64)
    return analyse(nest, steps, accelerator.running(shape))


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("matmul", "conv"),
        ("matmul", "batched_matmul"),
        ("batched_matmul", "conv"),
        ("conv", "conv3d"),
    ],
)
@given(data=st.data())
def test_a_problem_of_ones_is_the_smaller_problem(
    smaller: str, larger: str, data: st.DataObject
) -> None:
    small, large = (CONV if name == "conv" else load_shape(name) for name in (smaller, larger))
    if smaller == "batched_matmul":
        large = GROUPED
    accelerator = data.draw(accelerators())
    nest = data.draw(mappings(len(accelerator.levels), len(small.dims)))
    alone = counts(analysed(accelerator, small, nest))
    assert counts(analysed(accelerator, large, as_dims(nest, small, large))) == alone


@given(data=st.data())
def test_groups_on_instances_are_one_group_on_each(data: st.DataObject) -> None:
    """Inside the mesh every instance counts its group; outside all count together."""
    accelerator = data.draw(accelerators())
    levels = len(accelerator.levels)
    nest = data.draw(mappings(levels, len(CONV.dims)))
    strides = [data.draw(numbers) for _ in CONV.coefficients]
    level, axis, groups = (
        data.draw(st.integers(*ends)) for ends in ((0, levels - 1), (0, 1), (2, 5))
    )
    grouped = as_dims(nest, CONV, GROUPED)
    grouped.spatial[level, axis, GROUPED.dims.index("G")] = groups
    one = analysed(accelerator, CONV, nest, *strides)
    all_of_them = analysed(accelerator, GROUPED, grouped, *strides)
    for index in range(levels):
        share = groups if index >= level else 1
        for tensor, accesses in one.accesses[index].items():
            together = vars(all_of_them.accesses[index][tensor])
            assert together == {kind: share * words for kind, words in vars(accesses).items()}
        assert all_of_them.instances[index] * share == one.instances[index] * groups
    assert (all_of_them.steps, all_of_them.macs) == (one.steps, one.macs * groups)


@given(data=st.data())
def test_groups_one_after_another_are_one_group_each(data: st.DataObject) -> None:
    """But for the halo: what a tile keeps from a group before depends on the way there."""
    accelerator = data.draw(accelerators())
    nest = data.draw(mappings(len(accelerator.levels), len(CONV.dims)))
    groups = data.draw(st.integers(2, 5))
    grouped = as_dims(nest, CONV, GROUPED)
    grouped.temporal[-1, GROUPED.dims.index("G")] = groups
    grouped.order[-1] = torch.tensor([GROUPED.dims.index("G"), *nest.order[-1]])
    one, all_of_them = (
        analysed(accelerator, shape, each) for shape, each in ((CONV, nest), (GROUPED, grouped))
    )
    for index, kept in enumerate(one.accesses[:-1]):
        for tensor in kept.keys() - {"Inputs"}:
            first, every = kept[tensor], all_of_them.accesses[index][tensor]
            assert every.tile == first.tile
            for kind in ("reads", "fills", "updates"):
                assert getattr(every, kind) == groups * getattr(first, kind)
    assert all_of_them.macs == groups * one.macs
