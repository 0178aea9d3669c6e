"""What mappings need of buffers and meshes, by walking their loops: an oracle of its own.

Shares no code with the analysis, the costs or the search: sizes come from the description's texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from typing import Any

import torch
from torch import Tensor

from tilegrad.accelerator import AXES, Accelerator, Level
from tilegrad.mapping import LoopNest
from tilegrad.shape import ROLES, Shape

Axes = list[list[tuple[int, int]]]
"""Of each axis of a tensor its dims, each with the words that one step along it moves."""


def axes_of(shape: Shape, strides: tuple[int, ...], tensor: str) -> Axes:
    """Return the axes of a layer's tensor; ``strides`` are the layer's coefficients."""
    given: dict[int | str, int] = dict(zip(shape.coefficients, strides, strict=True))
    return [
        [(term.dim, given.get(term.coefficient) or int(term.coefficient)) for term in axis.terms]
        for axis in shape.axes[ROLES.index(tensor)]
    ]


def offsets(nest: LoopNest, level: int, dim: int) -> set[int]:
    """Return the values of a dim's index while the loops at and inside a level run once."""
    found, step = {0}, 1
    for inner in range(level + 1):
        spread = int(nest.spatial[inner, :, dim].prod())
        for bound in (spread, int(nest.temporal[inner, dim])):
            found = {start + step * turn for start in found for turn in range(bound)}
            step *= bound
    return found


def tile_words(nest: LoopNest, axes: Axes, level: int) -> int:
    """Return the words of a tensor that a level holds at once: the box around all of them."""
    words = 1
    for axis in axes:
        walked = [{at * step for at in offsets(nest, level, dim)} for dim, step in axis]
        words *= max(map(sum, product(*walked))) + 1
    return words


def words_kept(nest: LoopNest, strides: tuple[int, ...], accelerator: Accelerator) -> list[int]:
    """Return the words that one instance of each level holds."""
    return [
        sum(
            tile_words(nest, axes_of(accelerator.shape, strides, tensor), index)
            for tensor in level.keeps
        )
        for index, level in enumerate(accelerator.levels)
    ]


def spread(nest: LoopNest, level: int, axis: str) -> int:
    """Return over how many instances the loops below a level are spread along an axis."""
    return prod(int(factor) for factor in nest.spatial[level, AXES.index(axis)])


def not_proposed(nest: LoopNest, accelerator: Accelerator) -> list[str]:
    """Return the temporal loops of a mapping ``[level, dim]`` that lie where a search puts none."""
    return [
        f"{accelerator.shape.dims[dim]} at {level.name}"
        for index, level in enumerate(accelerator.levels)
        for dim, bound in enumerate(nest.temporal[index].tolist())
        if bound > 1 and dim not in level.loops
    ]


def size(text: str, hardware: Mapping[str, float]) -> float:
    """Return the value of an expression of a description."""
    return float(eval(text, {}, dict(hardware)))


def instances(accelerator: Accelerator, level: int, hardware: Mapping[str, float]) -> float:
    """Return how many instances of a level the meshes outside it hold."""
    outside = accelerator.levels[level + 1 :]
    return prod(size(f.width.text, hardware) for each in outside for f in each.fanout.values())


def misfits(
    nest: LoopNest,
    strides: tuple[int, ...],
    accelerator: Accelerator,
    hardware: Mapping[str, float],
) -> list[str]:
    """Return what of a mapping ``[level, dim]`` is larger than the hardware, in words."""
    kept = words_kept(nest, strides, accelerator)
    found = [
        f"{level.name}: {spread(nest, index, axis)} along {axis}, mesh {fanout.width.text}"
        for index, level in enumerate(accelerator.levels)
        for axis, fanout in level.fanout.items()
        if spread(nest, index, axis) > size(fanout.width.text, hardware)
    ]
    for index, level in enumerate(accelerator.levels):
        for most in _capacities(level, instances(accelerator, index, hardware), hardware):
            if kept[index] > most * (1 + 1e-12):
                found.append(f"{level.name}: {kept[index]} words of {most}")
    return found


def _capacities(level: Level, count: float, hardware: Mapping[str, float]) -> Iterator[float]:
    """Yield the words that one of ``count`` instances of a level has room for."""
    if level.capacity_words is not None:
        yield level.capacity_words
    if level.capacity_kb is not None:
        bits = size(level.capacity_kb.text, hardware) * 1024 * 8
        yield bits / level.word_bits / count


def holding(
    nest: LoopNest,
    strides: tuple[int, ...],
    accelerator: Accelerator,
    hardware: Mapping[str, Any],
) -> Tensor:
    """Return which hardware holds a mapping ``[level, dim]``; sizes are tensors that broadcast."""
    kept = words_kept(nest, strides, accelerator)
    fits: Any = torch.ones((), dtype=torch.bool)
    count: Any = 1.0
    for index, level in reversed(list(enumerate(accelerator.levels))):
        if level.capacity_words is not None:
            fits = fits & (kept[index] <= level.capacity_words)
        if level.capacity_kb is not None:
            kilobytes = eval(level.capacity_kb.text, {}, dict(hardware))
            need = kept[index] * level.word_bits / 8 / 1024 * count
            fits = fits & (need <= kilobytes * (1 + 1e-12))
        for axis, fanout in level.fanout.items():
            width: Any = torch.as_tensor(eval(fanout.width.text, {}, dict(hardware)))
            fits = fits & (spread(nest, index, axis) <= width) & (width == width.floor())
            count = count * width
    return torch.as_tensor(fits)
