"""All factorisations of a layer's dims, and which of them each machine can hold.

Notation: a choice is one factorisation of one dim over the levels; a mapping's factors are one
choice for each dim. What a mapping needs of buffers and meshes follows from the choices' extents
alone, without the nest's analysis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator
from tilegrad.cost.capacity import fits
from tilegrad.mapping.factors import factorisations
from tilegrad.mapping.space import TEMPORAL, MapSpace, Slot
from tilegrad.nest.layout import Scales, multiply, steps_in_words, tile_words, total
from tilegrad.shape.conv import DIMS
from tilegrad.workload import Problem

Key = tuple[int, str | None]
"""A level's tile (axis None), or the spatial loops below it along an axis."""


@dataclass(frozen=True)
class DimChoices:
    """The choices of one dim: ``factors [choice, slot of the dim]``, what they leave to the
    outermost level ``[choice]``, and their product inside each key ``[choice]`` where it is not 1.
    """

    factors: Tensor
    left: Tensor
    extents: dict[Key, Tensor]


class LayerChoices:
    """The choices of a layer's dims on machines whose meshes are at most ``widths`` wide."""

    def __init__(self, problem: Problem, accelerator: Accelerator, widths: Mapping[str, float]):
        self.space = MapSpace(accelerator, with_renamed=True)
        self.name = problem.name
        self.bounds = problem.bounds
        self.word_steps = steps_in_words(
            accelerator.shape, torch.tensor(problem.strides, dtype=torch.float64)
        )
        self._keys = list(_keys(accelerator))
        self.dims = [self._dim(dim, widths) for dim in range(len(DIMS))]
        self.free = [dim for dim, choices in enumerate(self.dims) if len(choices.left) > 1]

    def _dim(self, dim: int, widths: Mapping[str, float]) -> DimChoices:
        slots = [self.space.slots[index] for index in self.space.slots_of[dim]]
        bound = self.bounds[dim]
        limits = tuple(
            bound if slot.axis == TEMPORAL else min(bound, self._width(slot, widths))
            for slot in slots
        )
        legal = factorisations(bound, limits)
        factors = torch.tensor(legal, dtype=torch.float64).view(len(legal), len(slots))
        extents = {
            key: factors[:, [place for place, slot in enumerate(slots) if _inside(slot, key)]].prod(
                1
            )
            for key in self._keys
        }
        return DimChoices(factors, bound / factors.prod(1), extents)

    def _width(self, slot: Slot, widths: Mapping[str, float]) -> int:
        fanout = self.space.accelerator.levels[slot.level].fanout[AXES[slot.axis]]
        return int(fanout.width(widths))

    def fits(self, picked: Mapping[int, Tensor], hardware: Mapping[str, Tensor]) -> Tensor:
        """Return whether choices fit machines; dims that are not ``picked`` take a factor of 1.

        ``picked[dim]`` are places among the dim's choices; they broadcast with ``hardware``.
        """
        one = torch.ones((), dtype=torch.float64)
        extents = {key: [one] * len(DIMS) for key in self._keys}
        for dim, places in picked.items():
            for key, values in self.dims[dim].extents.items():
                extents[key][dim] = take(values, places)
        tiles = _ChosenTiles(self.space.accelerator, extents, self.word_steps)
        return fits(tiles, self.space.accelerator, hardware)

    def fitting(self, hardware: Mapping[str, Tensor], machines: int) -> list[Legal]:
        """Return for each free dim the choices that fit each machine, other dims having 1."""
        columns = {name: values.unsqueeze(1) for name, values in hardware.items()}
        legal = []
        for dim in self.free:
            every = torch.arange(len(self.dims[dim].left)).unsqueeze(0)
            fitting = self.fits({dim: every}, columns).expand(machines, every.shape[1])
            count = fitting.sum(1)
            places = fitting.nonzero()[:, 1].int()
            legal.append(Legal(dim, places, count.cumsum(0) - count, count))
        return legal


@dataclass(frozen=True)
class _ChosenTiles:
    """The tiles and spatial loops that choices make, from each key's extent along every dim."""

    accelerator: Accelerator
    extents: Mapping[Key, Sequence[Tensor]]
    word_steps: Scales

    def words(self, level: int) -> Tensor:
        """Return the words that one instance of a level keeps."""
        shape, extents = self.accelerator.shape, self.extents[level, None]
        keeps = self.accelerator.levels[level].keeps
        tiles = [tile_words(shape, tensor, extents, self.word_steps) for tensor in keeps]
        return total(tiles, extents[0])

    def extent(self, level: int, axis: int) -> Tensor:
        """Return over how many instances the loops below a level are spread along an axis."""
        extents = self.extents[level, AXES[axis]]
        return multiply(extents, extents[0].new_ones(()))


@dataclass(frozen=True)
class Legal:
    """The choices of a dim that fit: ``count [machine]`` of ``places`` from ``start [machine]``."""

    dim: int
    places: Tensor
    start: Tensor
    count: Tensor


def take(values: Tensor, places: Tensor) -> Tensor:
    """Return ``values [place]`` at ``places [...]``; faster than indexing."""
    return values.index_select(0, places.reshape(-1)).view(places.shape)


def _keys(accelerator: Accelerator) -> Sequence[Key]:
    """Return the places that have a limit."""
    keys: list[Key] = []
    for index, level in enumerate(accelerator.levels):
        keys += [(index, axis) for axis in level.fanout]
        if level.capacity_kb is not None or level.capacity_words is not None:
            keys.append((index, None))
    return keys


def _inside(slot: Slot, key: Key) -> bool:
    """Return whether a slot's factor counts at a place: all inside a tile, one axis of a mesh."""
    level, axis = key
    if axis is None:
        return slot.level <= level
    return slot.level == level and slot.axis != TEMPORAL and AXES[slot.axis] == axis
