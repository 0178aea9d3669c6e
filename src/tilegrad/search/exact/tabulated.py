"""A layer's mapspace, and what a range of meshes costs, as arrays for the compiled enumeration."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from tilegrad.accelerator import ACCESSES, AXES, Accelerator
from tilegrad.accelerator.level import PORTS
from tilegrad.accelerator.requirement import Requirement
from tilegrad.search.exact.counting import NOT_KEPT
from tilegrad.search.tables import LayerTable
from tilegrad.shape import ROLES, Axis
from tilegrad.shape.shape import MOST_TERMS

if TYPE_CHECKING:
    from tilegrad.search.exact.meshes import Meshes

WORDS = -1
"""In place of a mesh axis: the words of one instance."""


def layout(table: LayerTable) -> tuple[Any, ...]:
    """Return how tensors lie over dims and levels.

    ``relevant [tensor, dim]``; of each tensor's axes ``dims`` and ``steps`` in words
    ``[tensor, axis, term]`` (-1: no such term) and whether they slide ``[tensor, axis]``, how many
    there are ``[tensor]``; ``child [level, tensor]``, the next level inwards that keeps it; whether
    first fills count; which tensors slide.
    """
    accelerator = table.space.accelerator
    shape = accelerator.shape
    relevant = [[dim in shape.relevant[role] for dim in range(len(shape.dims))] for role in ROLES]
    counts = [len(axes) for axes in shape.axes]
    dims = np.full((len(ROLES), max(counts), MOST_TERMS), -1, np.int64)
    steps, slides = np.ones(dims.shape), np.zeros(dims.shape[:2], np.bool_)
    given = dict(zip(shape.coefficients, table.strides.tolist(), strict=True))
    for tensor, axes in enumerate(shape.axes):
        for place, axis in enumerate(axes):
            slides[tensor, place] = axis.slides
            dims[tensor, place, : len(axis.dims)] = axis.dims
            steps[tensor, place, : len(axis.dims)] = _steps(axis, given)
    child = [
        [accelerator.kept_below(level, role) if role in each.keeps else NOT_KEPT for role in ROLES]
        for level, each in enumerate(accelerator.levels)
    ]
    first_fill = accelerator.counting == "timeloop-2022"
    return (
        np.array(relevant, np.bool_),
        dims,
        steps,
        slides,
        np.array(counts, np.int64),
        np.array(child, np.int64),
        first_fill,
        np.array([bool(shape.sliding[role]) for role in ROLES], np.bool_),
    )


def _steps(axis: Axis, given: dict[str, float]) -> list[float]:
    coefficients = [term.coefficient for term in axis.terms]
    return [given[each] if isinstance(each, str) else float(each) for each in coefficients]


def space(table: LayerTable) -> tuple[Any, ...]:
    """Return a layer's choices: how many, where they begin and of how many slots, by dim.

    Their ``values``, one choice after another, each slot's level and mesh axis ``[dim, slot]``
    (temporal: -1), and the bounds ``[dim]``.
    """
    slots = [[table.space.slots[place] for place in places] for places in table.space.slots_of]
    most = max(1, *map(len, slots))
    level, axis = np.zeros((len(slots), most), np.int64), np.zeros((len(slots), most), np.int64)
    for dim, each in enumerate(slots):
        for place, slot in enumerate(each):
            level[dim, place], axis[dim, place] = slot.level, slot.axis
    values = [choices.numpy().reshape(-1) for choices in table.choices]
    sizes = [len(each) for each in values]
    return (
        np.array([len(choices) for choices in table.choices], np.int64),
        np.cumsum([0, *sizes[:-1]]).astype(np.int64),
        np.array([len(each) for each in slots], np.int64),
        np.concatenate([*values, np.zeros(0)]),
        level,
        axis,
        table.bounds.numpy(),
    )


def ranges(every: Sequence[Meshes], accelerator: Accelerator) -> tuple[Any, ...]:
    """Return what costs are in each range of meshes.

    pJ per word that no size changes and the group of the others (-1: none) ``[range, column]``;
    words of a block ``[range, level]`` (0: not known); each port's level, kinds of access and words
    per cycle ``[range, port]``; how many groups; how many needs; who asks them: level, axis and
    column; limits that no size changes: level, axis and how much; clusters
    ``[level]`` at most; most pJ a cycle, where slow mappings count.
    """
    levels = accelerator.levels
    constant = np.stack([each.rates.constant for each in every])
    group = np.full(constant.shape, -1, np.int64)
    for at, meshes in enumerate(every):
        for place, columns in enumerate(meshes.rates.groups):
            group[at, list(columns)] = place
    ports = [(at, PORTS[port]) for at, level in enumerate(levels) for port in level.bandwidth]
    kinds = [[kind in port for kind in ACCESSES] for _, port in ports]
    asked = [(each, at) for at, c in enumerate(accelerator.columns) for each in c.requirements]
    limits = accelerator.constant
    needs = _places([each for each, _ in asked])
    shared = [
        inf if level.cluster == 1 else float(level.instances({})) / level.cluster
        for level in levels
    ]
    return (
        constant,
        group,
        np.array([each.blocks for each in every]),
        np.array([level for level, _ in ports], np.int64),
        np.array(kinds, np.bool_).reshape(len(ports), len(ACCESSES)),
        np.stack([each.widest_ports for each in every]),
        max(len(each.rates.groups) for each in every),
        len(accelerator.columns),
        (*needs, np.array([at for _, at in asked], np.int64)),
        (*_places(limits), np.array([float(each.have({})) for each in limits])),
        np.array(shared),
        every[0].problem.caps.pj_per_cycle if every[0].slow else inf,
    )


def _places(requirements: Sequence[Requirement]) -> tuple[Any, Any]:
    levels = [each.level for each in requirements]
    axes = [AXES.index(each.what) if each.is_mesh else WORDS for each in requirements]
    return np.array(levels, np.int64), np.array(axes, np.int64)
