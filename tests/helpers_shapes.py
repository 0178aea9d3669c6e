"""Hypothesis strategies: problems of any shape, accelerators of any levels, small nests of both."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from hypothesis import strategies as st

from tests.helpers import describe
from tilegrad.accelerator import COUNTINGS, Accelerator, build_accelerator
from tilegrad.mapping import LoopNest, unit_mapping
from tilegrad.shape import INPUTS, OUTPUTS, ROLES, WEIGHTS, Axis, Shape, Term, packaged_shapes
from tilegrad.shape.conv import CONV
from tilegrad.shape.read import packaged_shape

MOST_ITERATIONS = 1500
"""Points of a nest's space, up to which a walk of all of them stays quick."""

CONSTANTS = ("stride", "dilation")

numbers = st.integers(1, 3)


@dataclass(frozen=True)
class Case:
    """One nest of one layer on one accelerator."""

    accelerator: Accelerator
    strides: tuple[int, ...]
    mapping: LoopNest


@st.composite
def drawn_shapes(draw: st.DrawFn) -> Shape:
    """Shapes of one to six dims, each in any of the tensors, operands' axes of one or two terms."""
    names = "abcdef"[: draw(st.integers(1, 6))]
    homes = [draw(st.sets(st.sampled_from(ROLES), min_size=1)) for _ in names]
    constants = CONSTANTS[: draw(st.integers(0, len(CONSTANTS)))]

    def axes(role: str) -> tuple[Axis, ...]:
        dims = draw(st.permutations([dim for dim, home in enumerate(homes) if role in home]))
        if role == OUTPUTS:
            return tuple(Axis((Term(dim),)) for dim in dims)
        coefficients = st.one_of(numbers, st.sampled_from(constants)) if constants else numbers
        terms = [Term(dim, draw(coefficients)) for dim in dims]
        found = []
        while terms:
            taken = draw(st.integers(1, min(2, len(terms))))
            found.append(Axis(tuple(terms[:taken])))
            terms = terms[taken:]
        return tuple(found)

    tensors = (axes(WEIGHTS), axes(INPUTS), axes(OUTPUTS))
    return Shape("drawn", tuple(names), tensors, constants, (1,) * len(constants))


packaged = st.sampled_from([CONV, *map(packaged_shape, packaged_shapes())])


@st.composite
def accelerators(draw: st.DrawFn, counting: str | None = None) -> Accelerator:
    """Accelerators of two to four levels that keep any tensors; any loop may lie anywhere."""
    count = draw(st.integers(1, 3))
    keeps = [draw(st.lists(st.sampled_from(ROLES), unique=True)) for _ in range(count)]
    named = counting or draw(st.sampled_from(COUNTINGS))
    described = describe([*keeps, list(ROLES)], named)
    for level in described["levels"]:
        level["fanout"] = {axis: {"dims": "all", "width": 16} for axis in "XY"}
    return build_accelerator(**described)


@st.composite
def mappings(draw: st.DrawFn, levels: int, dims: int) -> LoopNest:
    """Nests with loops of 2 to 4, in time and space, at any level, in any order."""
    nest = unit_mapping(levels, count=dims)
    places = st.tuples(st.integers(0, levels - 1), st.integers(0, dims - 1))
    points = 1
    for level, dim in draw(st.lists(places, max_size=8, unique=True)):
        bound = draw(st.sampled_from([2, 2, 3, 4]))
        if points * bound <= MOST_ITERATIONS:
            nest.temporal[level, dim] = bound
            points *= bound
    for level, dim in draw(st.lists(places, max_size=3, unique=True)):
        bound = draw(st.sampled_from([2, 3]))
        if points * bound <= MOST_ITERATIONS:
            nest.spatial[level, draw(st.integers(0, 1)), dim] = bound
            points *= bound
    orders = [draw(st.permutations(range(dims))) for _ in range(levels)]
    return LoopNest(nest.temporal, nest.spatial, torch.tensor(orders))


@st.composite
def cases(draw: st.DrawFn, shapes: st.SearchStrategy[Shape], counting: str | None = None) -> Case:
    """Nests of layers of any of ``shapes`` on any accelerators."""
    shape = draw(shapes)
    accelerator = draw(accelerators(counting)).running(shape)
    strides = tuple(draw(numbers) for _ in shape.coefficients)
    nest = draw(mappings(len(accelerator.levels), len(shape.dims)))
    return Case(accelerator, strides, nest)
